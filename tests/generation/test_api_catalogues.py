from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.metering import drain_free_answers
from accounts.models import Workspace
from generation.engine.items import write_item
from generation.importing import import_catalogue
from generation.models import Catalogue, CatalogueChunk
from tests.conftest import ApiClient
from tests.factories import make_catalogue, make_file, make_run, numbered_rows

pytestmark = pytest.mark.django_db

URL = "/api/v1/catalogues"


@pytest.fixture
def client(shop: Workspace, api: ApiClient) -> Client:
    return api(shop)


def upload(client: Client, content: bytes, key: str | None = None, name: str = "products.csv", **form: Any) -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return client.post(URL, {"file": SimpleUploadedFile(name, content), **form}, headers=headers)


def files(workspace: Workspace) -> int:
    return Catalogue.objects.in_workspace(workspace).count()


def test_an_upload_is_accepted_and_imported_in_the_background(client: Client) -> None:
    accepted = upload(client, make_file())
    reply = accepted.json()
    assert accepted.status_code == 202
    assert reply["status"] == "importing"
    assert reply["status_url"] == f"http://testserver{URL}/{reply['id']}"

    import_catalogue(reply["id"])

    done = client.get(reply["status_url"]).json()
    assert (done["status"], done["format"], done["products"], done["problems"]) == ("ready", "generic", 3, 0)
    assert done["reason"]


def test_a_file_without_products_is_refused_with_the_reason(client: Client) -> None:
    reply = upload(client, b"PK\x03\x04" + bytes(200), name="products.zip").json()
    import_catalogue(reply["id"])
    done = client.get(reply["status_url"]).json()
    assert done["status"] == "refused"
    assert done["reason"]


def test_an_empty_file_is_refused_at_once(client: Client, shop: Workspace) -> None:
    response = upload(client, b"")
    assert response.status_code == 422
    assert response.json()["error"]["code"] == "empty"
    assert files(shop) == 0


def test_a_form_without_a_file_is_refused(client: Client, shop: Workspace) -> None:
    response = client.post(URL, {"name": "products.csv"})
    assert response.status_code == 422
    assert files(shop) == 0


def test_unknown_form_fields_are_refused(client: Client, shop: Workspace) -> None:
    response = upload(client, make_file(), overwrite="yes")
    assert response.json()["error"]["details"] == {"overwrite": ["There is no such field."]}
    assert files(shop) == 0


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 415),
        ("text/csv", 415),
        ("multipart/form-data", 400),
        ("multipart/form-data; boundary=x", 422),
    ],
)
def test_a_body_that_is_no_form_is_refused(client: Client, shop: Workspace, content_type: str, status: int) -> None:
    response = client.generic("POST", URL, b"{}", content_type)
    assert response.status_code == status
    assert set(response.json()["error"]) == {"code", "message", "details"}
    assert files(shop) == 0


def test_a_form_of_countless_fields_is_refused(client: Client) -> None:
    response = client.post(URL, {f"field{n}": "x" for n in range(1_100)})
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "malformed_body"


def test_a_form_of_huge_fields_is_refused(client: Client) -> None:
    response = client.post(URL, {"field": "x" * 2_000_000})
    assert response.status_code == 413
    assert response.json()["error"]["code"] == "too_large"


def test_an_upload_over_the_limit_is_refused_before_it_is_read(client: Client) -> None:
    response = client.generic(
        "POST", URL, b"", "multipart/form-data; boundary=x", CONTENT_LENGTH=str(200 * 1024 * 1024)
    )
    assert response.status_code == 413
    assert response.json()["error"]["code"] == "too_large"


def test_an_idempotency_key_imports_one_file(client: Client, shop: Workspace) -> None:
    first, again = upload(client, make_file(), key="f-1").json(), upload(client, make_file(), key="f-1").json()
    assert again["id"] == first["id"]
    assert files(shop) == 1


def test_an_idempotency_key_with_another_file_is_refused(client: Client, shop: Workspace) -> None:
    upload(client, make_file(), key="f-1")
    response = upload(client, make_file(["B-1,Oak Spoon,oak,natural,"]), key="f-1")
    assert response.status_code == 422
    assert response.json()["error"]["code"] == "idempotency_key_reused"
    assert files(shop) == 1


def test_problems_are_listed_by_row(client: Client, shop: Workspace) -> None:
    catalogue = make_catalogue(shop, make_file(["A-1,Linen Apron,linen,sand,", "A-2,,oak,natural,", "A-3,,steel,,"]))
    rows = client.get(f"{URL}/{catalogue.pk}/problems").json()["results"]
    assert [row["row_number"] for row in rows] == sorted(row["row_number"] for row in rows)
    assert {row["row_number"] for row in rows} >= {2, 3}
    assert all(row["message"] for row in rows)
    assert client.get(f"{URL}/{catalogue.pk}").json()["problems"] == len(rows)


def content_of(response: Any) -> bytes:
    return b"".join(response.streaming_content)


def test_nothing_written_exports_the_received_bytes(client: Client, shop: Workspace) -> None:
    content = make_file().replace(b"\n", b"\r\n")
    catalogue = make_catalogue(shop, content)

    response = client.get(f"{URL}/{catalogue.pk}/export", headers={"Accept": "text/csv"})

    assert content_of(response) == content
    assert response["Content-Type"] == "text/csv"
    assert response["Content-Disposition"].startswith("attachment")
    assert response["Content-Length"] == str(len(content))


def test_a_file_that_cannot_be_made_whole_is_not_sent_in_part(client: Client, shop: Workspace) -> None:
    catalogue = make_catalogue(shop, make_file(numbered_rows(2000)))
    CatalogueChunk.objects.in_workspace(shop).filter(catalogue=catalogue).update(content=b"lost to a bad disk")
    client.raise_request_exception = False

    response = client.get(f"{URL}/{catalogue.pk}/export")

    assert response.status_code == 500
    assert response["Content-Type"] == "application/json"


def test_written_cells_are_exported(client: Client, shop: Workspace) -> None:
    catalogue = make_catalogue(shop)
    run = make_run(catalogue)
    item = run.items.get(position=0)
    write_item(item.pk)

    before, after = make_file().splitlines(), content_of(client.get(f"{URL}/{catalogue.pk}/export")).splitlines()

    assert after[1] != before[1]
    assert after[1].startswith(before[1])
    assert after[-2:] == before[-2:]


def test_a_refused_file_has_no_export(client: Client, shop: Workspace) -> None:
    catalogue = make_catalogue(shop, b"PK\x03\x04" + bytes(200))
    assert client.get(f"{URL}/{catalogue.pk}/export").status_code == 409


def test_products_are_listed_in_file_order_page_by_page(client: Client, shop: Workspace) -> None:
    make_catalogue(shop, make_file(numbered_rows(7)))

    titles: list[str] = []
    url = "/api/v1/products?page_size=3"
    while url:
        page = client.get(url).json()
        titles += [row["title"] for row in page["results"]]
        url = page["next"]

    assert titles == [f"Mug {n:05d}" for n in range(1, 8)]


def test_products_are_found_by_title_and_file(client: Client, shop: Workspace) -> None:
    first = make_catalogue(shop)
    make_catalogue(shop, make_file(["B-1,Oak Spoon,oak,natural,"]))

    def titles(query: str) -> list[str]:
        return [row["title"] for row in client.get(f"/api/v1/products?{query}").json()["results"]]

    assert titles("q=oak") == ["Oak Board", "Oak Spoon"]
    assert titles(f"q=oak&catalogue={first.pk}") == ["Oak Board"]
    assert titles("q=100%25") == []


def test_a_product_shows_its_facts_and_text(client: Client, shop: Workspace) -> None:
    catalogue = make_catalogue(shop)
    item = make_run(catalogue).items.get(position=0)
    write_item(item.pk)

    reply = client.get(f"/api/v1/products/{item.product_id}").json()

    assert reply["facts"]["title"] == "Linen Apron"
    assert reply["text"]["product"] == reply["id"]
    assert reply["text"]["version"] == 1
    assert reply["has_text"] is True


@pytest.mark.parametrize(
    "query",
    [
        "products?catalogue=5",
        "products?catalogue=",
        "products?catalog=5",
        "products?q=%00",
        "products?q=" + "x" * 201,
        "products?page_size=0",
        "products?page_size=201",
        "products?page_size=many",
        "products?cursor=" + "x" * 501,
        "products?cursor=cD1hYmM%3D",  # p=abc
        "texts?product=5",
        "texts?cursor=cD0lMDA%3D",  # p=%00
        "runs?cursor=cD1hYmM%3D",
        "runs?state=open",
        "catalogues?page=2",
        "usage?days=0",
        "usage?days=367",
        "usage?days=ten",
        "usage?months=1",
    ],
)
def test_a_wrong_query_parameter_is_refused(client: Client, shop: Workspace, query: str) -> None:
    make_run(make_catalogue(shop))
    response = client.get(f"/api/v1/{query}")
    assert response.status_code == 422
    assert set(response.json()["error"]) == {"code", "message", "details"}


def test_a_cursor_that_is_none_is_refused(client: Client) -> None:
    response = client.get("/api/v1/products?cursor=%E2%82%AC")
    assert response.status_code == 422
    assert response.json()["error"]["code"] == "invalid_cursor"


def test_usage_adds_up(client: Client, shop: Workspace) -> None:
    body = {"product": {"title": "Oak Board", "attributes": {"Material": "oak"}}}
    for _ in range(2):
        client.post("/api/v1/descriptions", body, content_type="application/json")
    drain_free_answers()

    usage = client.get("/api/v1/usage?days=7").json()

    assert (usage["days"], len(usage["by_day"])) == (7, 7)
    assert (usage["texts"], usage["free"], usage["calls"], usage["cost_usd"]) == (2, 1, 1, "0.00")
    assert usage["by_day"][-1]["texts"] == 2
