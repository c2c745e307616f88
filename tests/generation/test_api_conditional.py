"""ETags, idempotency, pages and deprecations: what holds for every operation of its kind."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from accounts.idempotency import Asked, once
from accounts.models import ApiKey, IdempotentRequest, Workspace
from generation.api.deprecation import Deprecation
from generation.models import Product, Text
from generation.services.texts import rewrite
from tests.api_document import operations
from tests.conftest import ApiClient
from tests.factories import first_product, make_catalogue, make_file, numbered_rows

pytestmark = pytest.mark.django_db

JSON = "application/json"


@pytest.fixture
def client(shop: Workspace, api: ApiClient) -> Client:
    return api(shop)


@pytest.fixture
def text(shop: Workspace) -> Text:
    return rewrite(product=first_product(make_catalogue(shop)), changes={})


# --- ETags ---


def test_every_kind_of_operation_says_how_it_is_repeated_and_kept_apart() -> None:
    for operation in operations():
        headers = {p["name"] for p in operation.described["parameters"] if p["in"] == "header"}
        replies = set(operation.described["responses"])
        if operation.method == "post":
            assert "Idempotency-Key" in headers, operation
        elif operation.method == "get":
            is_file = "application/json" not in operation.described["responses"]["200"]["content"]
            assert ("304" in replies) != is_file, operation
        else:
            assert "If-Match" in headers, operation
            assert "412" in replies, operation


@pytest.mark.parametrize("kind", ["texts", "products", "catalogues"])
def test_what_one_has_already_is_not_sent_again_until_it_changes(client: Client, text: Text, kind: str) -> None:
    assert text.product
    ids = {"texts": text.pk, "products": text.product_id, "catalogues": text.product.catalogue_id}
    url = f"/api/v1/{kind}/{ids[kind]}"
    first = client.get(url)
    held = {"If-None-Match": first["ETag"]}

    again = client.get(url, headers=held)
    Text.objects.in_workspace(text.workspace_id).update(seo_title="Changed in SQL")
    Product.objects.in_workspace(text.workspace_id).update(title="Changed in SQL")
    text.product.catalogue.problems.create(workspace=text.workspace, row_number=1, line=2, code="odd", message="Odd.")

    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    changed = client.get(url, headers=held)
    assert changed.status_code == 200
    assert changed["ETag"] != first["ETag"]


def test_an_edit_with_a_stale_etag_is_refused_and_changes_nothing(client: Client, text: Text) -> None:
    url = f"/api/v1/texts/{text.pk}"
    held = {"If-Match": client.get(url)["ETag"]}
    Text.objects.in_workspace(text.workspace_id).filter(pk=text.pk).update(seo_title="Somebody was quicker")

    refused = client.patch(url, {"seo_title": "Mine"}, JSON, headers=held)

    assert (refused.status_code, refused.json()["error"]["code"]) == (412, "precondition_failed")
    assert [t.seo_title for t in Text.objects.in_workspace(text.workspace_id)] == ["Somebody was quicker"]

    fresh = {"If-Match": client.get(url)["ETag"]}
    assert client.patch(url, {"seo_title": "Mine"}, JSON, headers=fresh).status_code == 200


@pytest.mark.parametrize("held", ["", "garbage", '"an-other"', 'W/"weak"'])
def test_a_condition_that_is_not_met_or_not_understood_is_never_ignored(client: Client, text: Text, held: str) -> None:
    refused = client.patch(f"/api/v1/texts/{text.pk}", {"seo_title": "Mine"}, JSON, headers={"If-Match": held})
    assert refused.status_code == 412
    assert client.put("/api/v1/budget", {"limit_usd": "3"}, JSON, headers={"If-Match": held}).status_code == 412
    assert client.delete("/api/v1/cache", headers={"If-Match": held}).status_code == 412
    assert client.get("/api/v1/budget").json()["limit_usd"] is None


def test_a_budget_is_set_as_it_was_read(client: Client) -> None:
    held = {"If-Match": client.get("/api/v1/budget")["ETag"]}
    answers = [client.put("/api/v1/budget", {"limit_usd": cap}, JSON, headers=held) for cap in ("3", "4")]
    assert [answer.status_code for answer in answers] == [200, 412]
    assert client.get("/api/v1/budget").json()["limit_usd"] == "3.00"


# --- Idempotency ---


def test_every_post_gives_the_same_reply_again_byte_for_byte(client: Client, text: Text) -> None:
    requests: list[tuple[str, dict[str, Any]]] = [
        ("descriptions", {"prompt": "Oak board, oiled"}),
        ("descriptions?explain=1", {"prompt": "Elm board, oiled"}),
        ("descriptions/bulk", {"items": [{"prompt": "Ash board, oiled"}]}),
        ("texts/bulk", {"items": [{"id": str(text.pk), "seo_title": "Edited"}]}),
        ("estimates", {"prompt": "Oak board"}),
        ("runs", {"catalogue": str(text.product.catalogue_id)} if text.product else {}),
    ]
    for number, (url, body) in enumerate(requests):
        headers = {"Idempotency-Key": f"request-{number}"}
        first, again = (client.post(f"/api/v1/{url}", body, JSON, headers=headers) for _ in range(2))
        assert first.status_code in (200, 202), first.content
        assert (again.status_code, again.content) == (first.status_code, first.content)
        assert (first.get("Idempotent-Replayed"), again["Idempotent-Replayed"]) == (None, "true")


@pytest.mark.parametrize(
    ("url", "body"), [("estimates", {"prompt": "Elm board"}), ("descriptions", {"prompt": "Oak board"})]
)
def test_another_request_under_the_same_key_is_refused(client: Client, url: str, body: dict[str, str]) -> None:
    headers = {"Idempotency-Key": "once"}
    client.post("/api/v1/estimates", {"prompt": "Oak board"}, JSON, headers=headers)

    refused = client.post(f"/api/v1/{url}", body, JSON, headers=headers)

    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "idempotency_key_reused")


def test_a_refused_request_may_be_sent_again_under_its_key(client: Client, shop: Workspace) -> None:
    headers = {"Idempotency-Key": "once"}
    assert client.post("/api/v1/estimates", {"prompt": ""}, JSON, headers=headers).status_code == 422
    assert client.post("/api/v1/estimates", {"prompt": "Oak board"}, JSON, headers=headers).status_code == 200


def test_what_a_dead_process_began_is_done_by_the_next_and_a_living_one_is_waited_for(
    client: Client, shop: Workspace, settings: Any
) -> None:
    key = ApiKey.objects.in_workspace(shop).get()
    asked = Asked(key, "once", "the hash")
    with once(asked):
        settings.IDEMPOTENCY_WAIT_SECONDS = 0.1
        with pytest.raises(Exception, match="being done right now"), once(asked):
            pass
        IdempotentRequest.objects.in_workspace(shop).update(lease_until="2020-01-01T00:00:00Z")
        with once(asked) as found:
            assert not hasattr(found, "body")


# --- Pages ---


def test_pages_hold_each_row_once_while_others_come(client: Client, shop: Workspace) -> None:
    make_catalogue(shop, make_file(numbered_rows(25)))
    at_first = {str(pk) for pk in Product.objects.in_workspace(shop).values_list("pk", flat=True)}
    seen, url = [], "/api/v1/products?limit=10"
    while url:
        page = client.get(url).json()
        seen += [row["id"] for row in page["results"]]
        url = page["next"]
        make_catalogue(shop, make_file(["B-1,Late Bowl,oak,natural,"]))

    assert len(seen) == len(set(seen))
    assert at_first <= set(seen)


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "cursor=nonsense", "cursor=cD1hYmM%3D", "page=2"])
def test_a_page_that_is_none_is_refused(client: Client, query: str) -> None:
    assert client.get(f"/api/v1/texts?{query}").status_code == 422


# --- What goes away ---


def test_what_is_deprecated_says_so_and_until_when_it_works(client: Client) -> None:
    old = client.get("/api/v1/texts?page_size=10")
    assert old.status_code == 200
    assert re.fullmatch(r"@\d{10}", old["Deprecation"])
    assert old["Sunset"] == "Sat, 27 Nov 2027 00:00:00 GMT"
    assert 'rel="deprecation"' in old["Link"]
    assert "Deprecation" not in client.get("/api/v1/texts?limit=10")


def test_a_whole_operation_can_be_deprecated() -> None:
    class View:
        deprecations: tuple[Deprecation, ...] = ()

    view, old = View(), Deprecation(since=date(2026, 1, 1), sunset=date(2027, 1, 1), instead="the new one")
    response = HttpResponse()
    assert old.told_by(lambda _view: "done")(view) == "done"
    for deprecation in view.deprecations:
        deprecation.state(response)
    assert response["Sunset"] == "Fri, 01 Jan 2027 00:00:00 GMT"
