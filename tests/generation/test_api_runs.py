from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import Workspace
from generation.engine.items import finish_run, write_item
from generation.models import Catalogue, Product, Provider, Run, Text
from tests.conftest import ApiClient
from tests.factories import make_catalogue, make_file, make_run, numbered_rows

pytestmark = pytest.mark.django_db

URL = "/api/v1/runs"
NO_ID = "0c0ffee0-0000-4000-8000-000000000000"


@pytest.fixture
def client(shop: Workspace, api: ApiClient) -> Client:
    return api(shop)


@pytest.fixture
def catalogue(shop: Workspace) -> Catalogue:
    return make_catalogue(shop)


def start(client: Client, body: dict[str, Any], key: str | None = None) -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return client.post(URL, body, content_type="application/json", headers=headers)


def write_all(run_id: str) -> None:
    run = Run.objects.across_workspaces().get(pk=run_id)
    for item in run.items.all():
        write_item(item.pk)
    finish_run(run.pk)


def runs_of(workspace: Workspace) -> int:
    return Run.objects.in_workspace(workspace).count()


def test_a_run_is_accepted_with_a_place_to_look(client: Client, catalogue: Catalogue) -> None:
    response = start(client, {"catalogue": str(catalogue.pk), "tone": "friendly"})

    reply = response.json()
    assert response.status_code == 202
    assert reply["status_url"] == f"http://testserver{URL}/{reply['id']}"
    assert (reply["state"], reply["products"], reply["waiting"], reply["done"]) == ("running", 3, 3, 0)
    assert reply["ceiling_usd"] == "0.00"
    assert reply["brief"]["tone"] == "friendly"


def test_the_status_follows_the_work(client: Client, catalogue: Catalogue, shop: Workspace) -> None:
    started = start(client, {"catalogue": str(catalogue.pk)}).json()
    write_all(started["id"])

    reply = client.get(started["status_url"]).json()

    assert (reply["state"], reply["done"], reply["waiting"], reply["failed"]) == ("finished", 3, 0, 0)
    assert reply["finished_at"]
    assert reply["cost_usd"] == "0.00"
    assert Text.objects.in_workspace(shop).count() == 3


def test_chosen_products_only(client: Client, catalogue: Catalogue) -> None:
    chosen = [str(product.pk) for product in catalogue.products.all()[:2]]
    assert start(client, {"products": [*chosen, chosen[0]]}).json()["products"] == 2


def test_only_missing_leaves_written_products_alone(client: Client, catalogue: Catalogue) -> None:
    write_all(start(client, {"catalogue": str(catalogue.pk)}).json()["id"])
    response = start(client, {"catalogue": str(catalogue.pk), "only_missing": True})
    assert response.status_code == 422
    assert response.json()["error"]["code"] == "no_products"


def test_an_idempotency_key_starts_one_run(client: Client, catalogue: Catalogue, shop: Workspace) -> None:
    body = {"catalogue": str(catalogue.pk)}
    first, again = start(client, body, key="night-1"), start(client, body, key="night-1")

    assert (first.status_code, again.status_code) == (202, 202)
    assert again.json()["id"] == first.json()["id"]
    assert runs_of(shop) == 1


def test_an_idempotency_key_with_another_body_is_refused(client: Client, catalogue: Catalogue, shop: Workspace) -> None:
    start(client, {"catalogue": str(catalogue.pk)}, key="night-1")
    response = start(client, {"catalogue": str(catalogue.pk), "length": "short"}, key="night-1")

    assert response.status_code == 422
    assert response.json()["error"]["code"] == "idempotency_key_reused"
    assert runs_of(shop) == 1


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"catalogue": "no-id"},
        {"catalogue": 2**200},
        {"products": []},
        {"products": ["no-id"]},
        {"products": "all"},
        {"catalogue": NO_ID, "products": [NO_ID]},
        {"catalogue": NO_ID, "tone": "angry"},
        {"catalogue": NO_ID, "only_missing": "perhaps"},
        {"catalogue": NO_ID, "everything": True},
    ],
    ids=str,
)
def test_a_wrong_body_starts_nothing(client: Client, shop: Workspace, body: dict[str, Any]) -> None:
    assert start(client, body).status_code == 422
    assert runs_of(shop) == 0


@pytest.mark.parametrize("body", [{"catalogue": NO_ID}, {"products": [NO_ID]}], ids=str)
def test_unknown_ids_are_not_found(client: Client, shop: Workspace, body: dict[str, Any]) -> None:
    assert start(client, body).status_code == 404
    assert runs_of(shop) == 0


def test_with_every_model_off_no_run_starts(client: Client, catalogue: Catalogue, shop: Workspace) -> None:
    Provider.objects.update(is_enabled=False)
    response = start(client, {"catalogue": str(catalogue.pk)})
    assert response.status_code == 503
    assert int(response["Retry-After"]) > 0
    assert runs_of(shop) == 0


def act(client: Client, run: Run, action: str) -> Any:
    return client.post(f"{URL}/{run.pk}/{action}", content_type="application/json")


def test_a_run_can_be_paused_resumed_and_cancelled(client: Client, catalogue: Catalogue) -> None:
    run = make_run(catalogue)
    states = [act(client, run, action).json()["state"] for action in ("pause", "resume", "cancel")]
    assert states == ["paused", "running", "cancelled"]


def test_what_was_cancelled_can_be_retried(client: Client, catalogue: Catalogue) -> None:
    run = make_run(catalogue)
    act(client, run, "cancel")
    reply = act(client, run, "retry").json()
    assert (reply["state"], reply["waiting"], reply["cancelled"]) == ("running", 3, 0)


@pytest.mark.parametrize("action", ["resume", "retry"])
def test_what_is_not_possible_now_is_a_conflict(client: Client, catalogue: Catalogue, action: str) -> None:
    response = act(client, make_run(catalogue), action)
    assert response.status_code == 409
    assert response.json()["error"]["code"] == "conflict"


def test_an_unknown_action_is_not_found(client: Client, catalogue: Catalogue) -> None:
    assert act(client, make_run(catalogue), "explode").status_code == 404


def test_failures_are_told_with_their_reason(client: Client, catalogue: Catalogue) -> None:
    run = make_run(catalogue)
    run.items.filter(position=0).update(state="failed", failure="No model could be reached.")

    reply = client.get(f"{URL}/{run.pk}").json()

    assert reply["failed"] == 1
    assert [(row["title"], row["reason"]) for row in reply["failures"]] == [
        ("Linen Apron", "No model could be reached.")
    ]


def test_lists_take_as_many_queries_for_many_rows_as_for_few(
    shop: Workspace, client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    def fill(count: int) -> None:
        for number in range(count):
            name = f"Range {Product.objects.in_workspace(shop).count()}"
            file = make_catalogue(shop, make_file([f"{name}-{number},{name},oak,red,", "X,,,,"]), f"{number}.csv")
            write_item(make_run(file).items.get(position=0).pk)

    fill(2)
    few = queries(client, django_assert_max_num_queries)
    fill(6)
    assert queries(client, django_assert_max_num_queries) == few


def queries(client: Client, counting: Callable[..., Any]) -> dict[str, int]:
    client.get("/api/v1/usage")  # notes that the key was used, once a minute
    counts = {}
    for name in ("runs", "catalogues", "products", "texts"):
        with counting(30) as captured:
            assert client.get(f"/api/v1/{name}").status_code == 200
        counts[name] = len(captured)
    return counts


def test_a_long_run_shows_its_first_failures_only(client: Client, shop: Workspace) -> None:
    run = make_run(make_catalogue(shop, make_file(numbered_rows(120))))
    run.items.update(state="failed", failure="Refused.")
    reply = client.get(f"{URL}/{run.pk}").json()
    assert (reply["failed"], len(reply["failures"])) == (120, 100)
