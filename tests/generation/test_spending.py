"""What a shop meets when money runs out, and what the books say afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db.models import Sum
from django.test import Client

from accounts import budgets
from accounts.dollars import decimal_usd
from accounts.models import (
    PLATFORM_WORKSPACE_ID,
    ApiKey,
    Budget,
    Notice,
    Platform,
    Reservation,
    UsageEntry,
    User,
    Workspace,
)
from accounts.services.keys import change_key, issue_key
from generation.engine.items import finish_run, write_item
from generation.models import LlmCall, ModelPrice, Run
from generation.services import retrying
from tests.conftest import ApiClient
from tests.factories import make_catalogue, make_file, make_run, numbered_rows
from tests.servers import KEY, Provider, run_provider

pytestmark = pytest.mark.django_db

APRON = {"title": "Linen Apron", "attributes": {"Material": "linen", "Weight": "320 g"}}
NOTHING = 1  # nano-dollar: less than any text can cost


@pytest.fixture(scope="module")
def vendor_process() -> Iterator[Provider]:
    with run_provider() as vendor:
        yield vendor


@pytest.fixture
def vendor(vendor_process: Provider, settings: Any) -> Provider:
    vendor_process.reset()
    settings.ANTHROPIC_API_KEY = KEY
    settings.ANTHROPIC_BASE_URL = vendor_process.url
    settings.BUDGET_WAIT_SECONDS = 0.1
    return vendor_process


@pytest.fixture
def client(shop: Workspace, api: ApiClient) -> Client:
    return api(shop)


def describe(client: Client, **product: Any) -> Any:
    body = {"product": {**APRON, **product}}
    return client.post("/api/v1/descriptions", body, content_type="application/json")


def cap(workspace: Workspace, nanos: int | None) -> None:
    Workspace.objects.filter(pk=workspace.pk).update(spend_cap_nanos=nanos)
    budgets.apply_limits(workspace.pk)


def lines(workspace: Workspace) -> list[UsageEntry]:
    return list(UsageEntry.objects.in_workspace(workspace).order_by("occurred_at", "entry_no"))


def test_each_text_is_one_exact_line_of_the_ledger(client: Client, shop: Workspace, vendor: Provider) -> None:
    reply = describe(client).json()

    (line,) = lines(shop)
    served = vendor.meter()["served"][0]
    assert line.cost_nanos == 100 * served["input_uncached"] + 500 * served["output"]
    assert reply["cost_usd"] == decimal_usd(line.cost_nanos)
    assert (str(line.text_id), line.source, line.endpoint) == (reply["id"], "model", "api")
    assert (line.answers, line.calls, line.basis) == (1, 1, "exact")
    assert line.api_key_id == ApiKey.objects.in_workspace(shop).get().pk


def test_cap_that_leaves_no_room_is_402_and_says_what_to_do(client: Client, shop: Workspace, vendor: Provider) -> None:
    cap(shop, NOTHING)

    response = describe(client)

    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (402, "budget_exhausted")
    assert error["details"]["scope"] == "workspace"
    assert error["details"]["limit_usd"] == "0.000000001"
    assert "An owner can raise the cap" in error["message"]
    assert vendor.meter()["requests"] == 0
    assert not LlmCall.objects.in_workspace(shop).exists()
    assert Notice.objects.in_workspace(shop).get().topic.endswith("/100")


def test_holds_of_others_are_429_with_a_time_to_wait(client: Client, shop: Workspace, vendor: Provider) -> None:
    describe(client)
    ceiling = Reservation.objects.in_workspace(shop).get().amount_nanos
    budget = Budget.objects.in_workspace(shop).get(scope="workspace")
    cap(shop, budget.spent_nanos + ceiling + ceiling // 2)
    Budget.objects.in_workspace(shop).filter(scope="workspace").update(reserved_nanos=ceiling)

    response = describe(client, brand="Alder")

    assert (response.status_code, response.json()["error"]["code"]) == (429, "budget_in_flight")
    assert response.headers["Retry-After"] == "2"


def test_known_text_is_served_when_the_money_is_gone(client: Client, shop: Workspace, vendor: Provider) -> None:
    first = describe(client).json()
    cap(shop, 0)

    again = describe(client)

    assert again.status_code == 200
    assert (again.json()["source"], again.json()["cost_usd"]) == ("exact", "0.00")
    assert again.json()["text"] == first["text"]
    assert vendor.meter()["requests"] == 1


def test_offline_writer_is_never_refused_for_money(client: Client, shop: Workspace) -> None:
    cap(shop, 0)

    assert describe(client).json()["source"] == "model"
    assert [(line.cost_nanos, line.calls) for line in lines(shop)] == [(0, 1)]


def test_cap_set_in_the_middle_of_a_month_counts_from_its_beginning(
    shop: Workspace, alice: User, vendor: Provider
) -> None:
    key, secret = issue_key(workspace=shop, name="Script", scopes=["write"], created_by=alice)
    client = Client(headers={"Authorization": f"Bearer {secret}"})
    describe(client)
    spent = Budget.objects.in_workspace(shop).get(scope="key").spent_nanos

    change_key(key, spend_cap_nanos=spent, burst_per_minute=None, requests_per_day=None)

    assert spent > 0
    assert describe(client, brand="Alder").json()["error"]["details"]["scope"] == "key"


@pytest.mark.parametrize("whose", ["key", "member"])
def test_cap_of_a_key_and_of_whoever_made_it_hold(shop: Workspace, alice: User, vendor: Provider, whose: str) -> None:
    key, secret = issue_key(workspace=shop, name="Script", scopes=["write"], created_by=alice)
    if whose == "key":
        ApiKey.objects.in_workspace(shop).filter(pk=key.pk).update(spend_cap_nanos=NOTHING)
    else:
        shop.memberships.filter(user=alice).update(spend_cap_nanos=NOTHING)

    response = describe(Client(headers={"Authorization": f"Bearer {secret}"}))

    assert response.status_code == 402
    assert response.json()["error"]["details"]["scope"] == whose


def test_platforms_own_limit_is_no_fault_of_the_shop(client: Client, shop: Workspace, vendor: Provider) -> None:
    Platform.objects.update(is_stopped=True)

    response = describe(client)

    assert (response.status_code, response.json()["error"]["code"]) == (503, "provider_unavailable")
    assert int(response.headers["Retry-After"]) > 0
    assert vendor.meter()["requests"] == 0


def test_failure_that_surely_cost_nothing_frees_its_hold(client: Client, shop: Workspace, vendor: Provider) -> None:
    vendor.behave({"status": 529})

    assert describe(client).status_code == 503

    budget = Budget.objects.in_workspace(shop).get(scope="workspace")
    assert (budget.spent_nanos, budget.reserved_nanos) == (0, 0)
    assert [(line.cost_nanos, line.answers, line.calls) for line in lines(shop)] == [(0, 0, 1)] * 2


@pytest.mark.parametrize("behaviour", [{"fault": "drop"}, {"fault": "broken_json"}, {"usage": None}])
def test_unknown_cost_counts_at_its_ceiling(
    client: Client, shop: Workspace, vendor: Provider, behaviour: dict[str, Any]
) -> None:
    vendor.behave(behaviour)

    describe(client)

    calls = LlmCall.objects.in_workspace(shop).order_by("created_at")
    ceilings = [call.ceiling_nanos for call in calls]
    budget = Budget.objects.in_workspace(shop).get(scope="workspace")
    assert [(line.basis, line.cost_nanos) for line in lines(shop)] == [("ceiling", ceiling) for ceiling in ceilings]
    assert (budget.spent_nanos, budget.reserved_nanos) == (sum(ceilings), 0)
    assert [call.cost_nanos for call in calls] == ceilings


def test_answer_without_usage_is_still_an_answer_in_the_ledger(
    client: Client, shop: Workspace, vendor: Provider
) -> None:
    vendor.behave({"usage": None})

    assert describe(client).status_code == 200

    assert [line.answers for line in lines(shop)] == [1]


def test_model_without_a_price_is_not_asked(client: Client, vendor: Provider) -> None:
    ModelPrice.objects.all().delete()

    response = describe(client)

    assert response.status_code == 503
    assert vendor.meter()["requests"] == 0


# --- Runs -------------------------------------------------------------------------------------------------------------


def write_all(run: Run) -> None:
    for item in run.items.all():
        write_item(item.pk, publish_next=False)
    finish_run(run.pk)
    run.refresh_from_db()


def reasons(run: Run) -> set[str]:
    return set(run.items.exclude(state="done").values_list("failure", flat=True))


def test_run_stops_spending_at_its_cap_and_the_rest_says_why(shop: Workspace, vendor: Provider) -> None:
    run = make_run(make_catalogue(shop, make_file(numbered_rows(6))))
    Budget.objects.in_workspace(shop).filter(scope="run").update(limit_nanos=run.ceiling_nanos // 6)

    write_all(run)

    assert run.state == Run.State.FINISHED
    budget = Budget.objects.in_workspace(shop).get(scope="run")
    assert 0 < budget.spent_nanos <= run.ceiling_nanos // 6
    assert run.items.filter(state="done").exists()
    assert all("for this run leaves no room" in reason for reason in reasons(run))
    assert all(reason.endswith("Write the rest with a higher cap.") for reason in reasons(run))


def test_run_that_cannot_pay_still_gets_what_is_known(shop: Workspace, vendor: Provider) -> None:
    catalogue = make_catalogue(shop, make_file(numbered_rows(3)))
    write_all(make_run(catalogue))
    cap(shop, 0)

    run = make_run(catalogue)
    write_all(run)

    assert set(run.items.values_list("state", flat=True)) == {"done"}
    assert vendor.meter()["requests"] == 3


def test_retrying_allows_a_run_what_is_left_to_write(shop: Workspace, vendor: Provider) -> None:
    run = make_run(make_catalogue(shop, make_file(numbered_rows(3))))
    Budget.objects.in_workspace(shop).filter(scope="run").update(limit_nanos=0)
    write_all(run)
    assert run.items.filter(state="failed").count() == 3

    retrying.retry_failed(run)
    write_all(run)

    assert run.items.filter(state="done").count() == 3
    spent = Budget.objects.in_workspace(shop).get(scope="run").spent_nanos
    assert spent == LlmCall.objects.in_workspace(shop).aggregate(sum=Sum("cost_nanos"))["sum"]


# --- What it would cost -----------------------------------------------------------------------------------------------


def estimate(client: Client, body: dict[str, Any]) -> dict[str, Any]:
    response = client.post("/api/v1/estimates", body, content_type="application/json")
    assert response.status_code == 200, response.content
    return dict(response.json())


def test_estimate_of_a_description_bounds_its_hold(client: Client, shop: Workspace, vendor: Provider) -> None:
    cap(shop, 10**9)
    before = estimate(client, {"product": APRON})
    assert (before["products"], before["known"], before["calls"]) == (1, 0, 1)
    assert (before["fits_budget"], before["budget_left_usd"]) == (True, "1.00")
    assert vendor.meter()["requests"] == 0

    cost = describe(client).json()["cost_usd"]

    held = Reservation.objects.in_workspace(shop).get().amount_nanos
    assert float(cost) <= held / 1e9 <= float(before["ceiling_usd"])
    after = estimate(client, {"product": APRON})
    assert (after["known"], after["calls"], after["ceiling_usd"]) == (1, 0, "0.00")


def test_estimate_of_a_run_counts_equal_products_once(client: Client, shop: Workspace, vendor: Provider) -> None:
    twins = ["A-1,Mug,stoneware,blue,", "A-2,Mug,stoneware,blue,", "A-3,Plate,stoneware,blue,"]
    catalogue = make_catalogue(shop, make_file(twins))
    cap(shop, NOTHING)

    told = estimate(client, {"catalogue": str(catalogue.pk)})

    assert (told["products"], told["known"], told["calls"]) == (3, 0, 2)
    assert told["fits_budget"] is False
    assert float(told["likely_usd"]) < float(told["ceiling_usd"])


@pytest.mark.parametrize("dollars", ["-1", "abc", "1e400", "1000001", "NaN", True, None, "0.0000000001"])
def test_absurd_caps_of_a_run_are_refused(client: Client, shop: Workspace, dollars: Any) -> None:
    catalogue = make_catalogue(shop)

    response = client.post(
        "/api/v1/runs", {"catalogue": str(catalogue.pk), "cap_usd": dollars}, content_type="application/json"
    )

    assert response.status_code == 422
    assert "cap_usd" in response.json()["error"]["details"]
    assert not Run.objects.in_workspace(shop).exists()


def test_cap_of_a_run_is_its_budget(client: Client, shop: Workspace, vendor: Provider) -> None:
    catalogue = make_catalogue(shop)

    body = {"catalogue": str(catalogue.pk), "cap_usd": "0.000001"}
    reply = client.post("/api/v1/runs", body, content_type="application/json").json()

    assert reply["cap_usd"] == "0.000001"
    assert Budget.objects.in_workspace(shop).get(scope="run").limit_nanos == 1_000


# --- The cap over the API ---------------------------------------------------------------------------------------------


def put(client: Client, limit: Any) -> Any:
    return client.put("/api/v1/budget", {"limit_usd": limit}, content_type="application/json")


def test_budget_shows_what_is_spent_and_left(client: Client, shop: Workspace, vendor: Provider) -> None:
    put(client, "2.50")
    cost = describe(client).json()["cost_usd"]

    reply = client.get("/api/v1/budget").json()

    left = decimal_usd(2_500_000_000 - int(float(cost) * 1e9 + 0.5))
    assert (reply["limit_usd"], reply["spent_usd"], reply["held_usd"]) == ("2.50", cost, "0.00")
    assert (reply["left_usd"], reply["plan_limit_usd"], reply["key"]) == (left, None, None)
    assert reply["resets_at"].endswith("-01T00:00:00Z")


def test_cap_set_over_the_api_holds_at_once_and_can_be_taken_away(client: Client, vendor: Provider) -> None:
    describe(client)

    lowered = put(client, "0")

    assert (lowered.status_code, lowered.json()["left_usd"]) == (200, "0.00")
    assert "nothing more is written until" in lowered.json()["note"]
    assert describe(client, brand="Alder").status_code == 402
    assert put(client, None).json()["limit_usd"] is None
    assert describe(client, brand="Alder").status_code == 200


@pytest.mark.parametrize("limit", ["-1", "-0.01", "abc", "1e999", "1000000.01", "NaN", "Infinity", True, [], {}])
def test_absurd_caps_are_refused_and_change_nothing(client: Client, shop: Workspace, limit: Any) -> None:
    put(client, "5")

    response = put(client, limit)

    assert (response.status_code, list(response.json()["error"]["details"])) == (422, ["limit_usd"])
    assert client.get("/api/v1/budget").json()["limit_usd"] == "5.00"


def test_cap_above_the_plans_is_refused_with_the_plans_figure(shop: Workspace, api: ApiClient) -> None:
    Workspace.objects.filter(pk=shop.pk).update(plan_id="free")

    response = put(api(shop), "1.01")

    assert (response.status_code, response.json()["error"]["code"]) == (422, "cap_refused")
    assert response.json()["error"]["details"] == {"plan_limit_usd": "1.00"}


def test_key_sees_its_own_cap(shop: Workspace, vendor: Provider) -> None:
    key, secret = issue_key(workspace=shop, name="Script", scopes=["read", "write"])
    ApiKey.objects.in_workspace(shop).filter(pk=key.pk).update(spend_cap_nanos=10**9)
    client = Client(headers={"Authorization": f"Bearer {secret}"})

    describe(client)

    own = client.get("/api/v1/budget").json()["key"]
    assert own["limit_usd"] == "1.00"
    assert float(own["spent_usd"]) > 0


def test_visitor_is_not_told_of_the_platforms_caps(vendor: Provider, db: None) -> None:
    Workspace.objects.filter(pk=PLATFORM_WORKSPACE_ID).update(spend_cap_nanos=0)

    page = Client().post("/try/", {"prompt": "A linen apron, 320 g", "tone": "neutral"})

    assert page.status_code == 503
    assert "Sign up" in page.content.decode()
    assert "cap" not in page.content.decode().replace("capacity", "")
