"""A run that reached its own cap is retried: nothing fails again unsaid, nothing is spent beyond what was agreed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.dollars import decimal_usd
from accounts.models import Budget, Reservation, User, Workspace
from generation.engine.items import finish_run, write_item
from generation.models import Run
from tests.conftest import ApiClient, SignIn
from tests.factories import make_catalogue, make_file, make_run, numbered_rows
from tests.servers import KEY, Provider, run_provider

PRODUCTS = 12

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def vendor_process() -> Iterator[Provider]:
    with run_provider() as vendor:
        yield vendor


@pytest.fixture(autouse=True)
def vendor(vendor_process: Provider, settings: Any) -> Provider:
    vendor_process.reset()
    settings.ANTHROPIC_API_KEY = KEY
    settings.ANTHROPIC_BASE_URL = vendor_process.url
    settings.BUDGET_WAIT_SECONDS = 0.1
    return vendor_process


@pytest.fixture
def client(shop: Workspace, api: ApiClient) -> Client:
    return api(shop)


@pytest.fixture
def page(alice: User, shop: Workspace, sign_in: SignIn) -> Client:
    return sign_in(alice)


@pytest.fixture
def capped(shop: Workspace) -> Run:
    """Some of its texts are written, the others found no room."""
    write_all(make_run(make_catalogue(shop, make_file(["P-1,Plain Plate,stoneware,blue,"]), "other.csv")))
    hold = Reservation.objects.in_workspace(shop).get().amount_nanos
    run = make_run(make_catalogue(shop, make_file(numbered_rows(PRODUCTS))), cap_nanos=hold * 11 // 10)
    write_all(run)
    assert 0 < run.items.filter(state="failed").count() < PRODUCTS
    return run


def write_all(run: Run) -> None:
    for item in run.items.filter(state="queued"):
        write_item(item.pk, publish_next=False)
    finish_run(run.pk)
    run.refresh_from_db()


def budget_of(run: Run) -> Budget:
    return Budget.objects.in_workspace(run.workspace_id).get(scope="run", scope_id=run.pk)


def retry(client: Client, run: Run, **body: str) -> Any:
    return client.post(f"/api/v1/runs/{run.pk}/retry", body, "application/json")


def states(run: Run) -> list[str]:
    return list(run.items.order_by("position").values_list("state", flat=True))


def test_a_cap_without_room_is_said_before_anything_is_begun(client: Client, capped: Run, vendor: Provider) -> None:
    before, asked = states(capped), vendor.meter()["requests"]

    reply = retry(client, capped)

    assert reply.status_code == 402
    error = reply.json()["error"]
    assert (error["code"], error["details"]["scope"]) == ("budget_exhausted", "run")
    assert "is likely enough" in error["message"]
    write_all(capped)
    assert (states(capped), vendor.meter()["requests"]) == (before, asked)


def test_with_the_cap_that_is_said_to_be_enough_all_are_written(client: Client, capped: Run) -> None:
    enough = retry(client, capped).json()["error"]["details"]["enough_usd"]

    reply = retry(client, capped, cap_usd=enough)
    write_all(capped)

    assert (reply.status_code, reply.json()["cap_usd"]) == (200, enough)
    assert states(capped) == ["done"] * PRODUCTS
    assert budget_of(capped).spent_nanos <= (capped.cap_nanos or 0)


def test_with_a_cap_that_is_not_enough_it_goes_as_far_as_that_reaches(client: Client, capped: Run) -> None:
    cap = budget_of(capped).spent_nanos + (capped.cap_nanos or 0)
    failed = capped.items.filter(state="failed").count()

    assert retry(client, capped, cap_usd=decimal_usd(cap)).status_code == 200
    write_all(capped)

    assert 0 < capped.items.filter(state="failed").count() < failed
    assert budget_of(capped).spent_nanos <= cap


def test_a_cap_below_what_is_spent_is_refused_and_changes_nothing(client: Client, capped: Run) -> None:
    cap, before = capped.cap_nanos, states(capped)

    assert retry(client, capped, cap_usd=decimal_usd(budget_of(capped).spent_nanos)).status_code == 402

    capped.refresh_from_db()
    assert (capped.cap_nanos, states(capped)) == (cap, before)


def test_what_is_known_by_now_is_served_under_a_cap_without_room(client: Client, shop: Workspace, capped: Run) -> None:
    assert capped.catalogue
    write_all(make_run(capped.catalogue))

    assert retry(client, capped).status_code == 200
    write_all(capped)

    assert states(capped) == ["done"] * PRODUCTS


def test_a_cap_above_what_was_announced_leaves_its_room_to_a_retry(client: Client, shop: Workspace) -> None:
    run = make_run(make_catalogue(shop, make_file(numbered_rows(3))), cap_nanos=10**10)
    budget = Budget.objects.in_workspace(shop).filter(scope="run")
    budget.update(limit_nanos=0)
    write_all(run)
    assert states(run) == ["failed"] * 3

    assert retry(client, run).status_code == 200
    write_all(run)

    assert states(run) == ["done"] * 3


def test_the_page_tells_the_price_and_asks_where_to_stop(page: Client, shop: Workspace, capped: Run) -> None:
    address = reverse("run_retry", args=(shop.slug, capped.pk))
    assert address in page.get(reverse("run_detail", args=(shop.slug, capped.pk))).content.decode()

    shown = page.get(address)
    assert "is too little for what the rest is likely to cost" in shown.content.decode()
    refused = page.post(address, {"cap": ""})
    assert refused.status_code == 422
    assert "Nothing was begun" in refused.content.decode()
    begun = page.post(address, {"cap": shown.context["form"]["cap"].value()})
    assert begun.status_code == 302
    write_all(capped)
    assert states(capped) == ["done"] * PRODUCTS


def test_the_page_of_a_run_without_a_cap_tells_the_price_alone(page: Client, shop: Workspace) -> None:
    run = make_run(make_catalogue(shop, make_file(numbered_rows(3))))
    Budget.objects.in_workspace(shop).filter(scope="run").update(limit_nanos=0)
    write_all(run)
    address = reverse("run_retry", args=(shop.slug, run.pk))

    shown = page.get(address).content.decode()

    assert shown.index("Likely about, for the rest") < shown.index("<dt>At most</dt>")
    assert "Stop at" not in shown
    assert page.post(address).status_code == 302
    write_all(run)
    assert states(run) == ["done"] * 3
