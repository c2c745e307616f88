"""Money under concurrency, with real processes: a cap holds at every instant and the books agree to the nano-dollar."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection
from django.db.models import F, Sum
from django.db.models.functions import Now

from accounts import budgets
from accounts.budgets import BudgetExhausted, BudgetInFlight, Payer, Tokens
from accounts.models import Budget, Plan, Reservation, UsageEntry, User, Workspace
from accounts.services.keys import issue_key
from accounts.services.workspaces import change_plan, create_workspace
from contentopt.database.roles import as_owner
from generation.models import LlmCall, LlmModel
from tests.races.conftest import StartWorker
from tests.races.product import eventually
from tests.races.spending import (
    Sampler,
    attempt,
    check_then_act,
    hold_and_hang,
    hold_in_rounds,
    hold_many,
    hold_one,
    settle_many,
    write_mugs,
)
from tests.servers import KEY, Provider

pytestmark = pytest.mark.processes

CENT = 10_000_000
REPEATS = 20


def cap(workspace: Workspace, nanos: int | None) -> None:
    Workspace.objects.filter(pk=workspace.pk).update(spend_cap_nanos=nanos)
    budgets.apply_limits(workspace.pk)


def budget_of(workspace: Workspace, scope: str = Budget.Scope.WORKSPACE) -> Budget:
    return Budget.objects.in_workspace(workspace).get(scope=scope)


def ledger_sum(workspace: Workspace) -> int:
    total = UsageEntry.objects.in_workspace(workspace).aggregate(sum=Sum("cost_nanos"))["sum"]
    return int(total or 0)


@pytest.fixture
def payer(shop: Workspace) -> Payer:
    return Payer(shop.pk, "api")


# --- A cap holds ------------------------------------------------------------------------------------------------------


def test_of_a_hundred_at_once_exactly_those_that_fit_are_sent_twenty_times_over(
    alice: User, start_worker: StartWorker
) -> None:
    shops = [create_workspace(owner=alice, name=f"Shop {n}", plan="internal") for n in range(REPEATS)]
    for shop in shops:
        cap(shop, 10 * CENT + CENT // 2)
    payers = [Payer(shop.pk, "api") for shop in shops]

    with Sampler() as sampler:
        rivals = [start_worker(hold_in_rounds, payers, 25, CENT) for _ in range(4)]
        held = [rival.result() for rival in rivals]

    assert [sum(len(holds[n]) for holds in held) for n in range(REPEATS)] == [10] * REPEATS
    assert sampler.violations == []
    assert sampler.samples > REPEATS


@pytest.fixture
def control(db: None) -> Iterator[int]:
    with as_owner(connection.alias), connection.cursor() as cursor:
        cursor.execute("CREATE TABLE control_budget (id int, spent bigint, cap bigint)")
        cursor.execute("GRANT SELECT, UPDATE ON control_budget TO PUBLIC")
        cursor.execute("INSERT INTO control_budget VALUES (1, 0, %s)", [10 * CENT])
    yield 1
    with as_owner(connection.alias), connection.cursor() as cursor:
        cursor.execute("DROP TABLE control_budget")


def test_checking_first_and_adding_after_overshoots_so_these_tests_bite(
    control: int, start_worker: StartWorker
) -> None:
    rivals = [start_worker(check_then_act, control, 25, CENT) for _ in range(4)]

    assert sum(rival.result() for rival in rivals) > 10


def test_database_refuses_what_a_wrong_program_would_admit(shop: Workspace, payer: Payer) -> None:
    cap(shop, CENT)
    hold_one(payer, CENT, sent=True)

    with pytest.raises(IntegrityError, match="budget_within_limit"):
        Budget.objects.in_workspace(shop).update(reserved_nanos=F("reserved_nanos") + 1)


def test_budgets_in_one_scope_are_held_together_or_not_at_all(
    shop: Workspace, alice: User, start_worker: StartWorker
) -> None:
    key, _ = issue_key(workspace=shop, name="Script", scopes=["write"])
    type(key).objects.in_workspace(shop).update(spend_cap_nanos=30 * CENT)
    shop.memberships.filter(user=alice).update(spend_cap_nanos=5 * CENT)
    cap(shop, 8 * CENT)
    both = Payer(shop.pk, "api", user_id=alice.pk, api_key_id=key.pk)
    plain = Payer(shop.pk, "page")

    rivals = [start_worker(hold_many, who, 20, CENT) for who in (both, plain, both, plain)]
    held = [len(rival.result()) for rival in rivals]

    assert sum(held) == 8
    reserved = dict(Budget.objects.in_workspace(shop).values_list("scope", "reserved_nanos"))
    assert reserved["workspace"] == 8 * CENT
    # Opened by the first hold that asks for them; the others may have been quicker to take all there was.
    assert reserved.get("member", 0) == reserved.get("key", 0) == (held[0] + held[2]) * CENT <= 5 * CENT


def test_nearly_all_of_a_budget_can_be_used_although_each_call_holds_four_times_its_cost(
    shop: Workspace, start_worker: StartWorker, provider: Provider, told: dict[str, Any]
) -> None:
    """A hundred at once wait for each other's holds instead of failing."""
    provider.behave({"output_tokens": 220})
    cap(shop, 13_500_000)

    rivals = [start_worker(write_mugs, Payer(shop.pk, "api"), 25 * n, 25, **told) for n in range(4)]
    outcomes = Counter(outcome for rival in rivals for outcome, _ in rival.result())

    assert set(outcomes) == {"model", "budget_exhausted"}
    ceiling = max(LlmCall.objects.in_workspace(shop).values_list("ceiling_nanos", flat=True))
    assert 13_500_000 - ceiling < budget_of(shop).spent_nanos <= 13_500_000


# --- The books agree --------------------------------------------------------------------------------------------------


@pytest.fixture
def told(provider: Provider) -> dict[str, Any]:
    """What workers are told: where the model is, and to ask it for one text at a time: scripted replies fall on one."""
    return {
        "ANTHROPIC_API_KEY": KEY,
        "ANTHROPIC_BASE_URL": provider.url,
        "MICRO_BATCH_SECONDS": 0,
        "BUDGET_WAIT_SECONDS": 30,
        "JOB_LEASE_SECONDS": 60,
    }


def metered(provider: Provider) -> int:
    """By the provider's own count, at the rates it publishes, nano-dollars a token."""
    rates = {
        "input_uncached": 100,
        "input_cached": 10,
        "cache_write_short": 125,
        "cache_write_long": 200,
        "output": 500,
    }
    return sum(rate * call[kind] for call in provider.meter()["served"] for kind, rate in rates.items())


def test_ledger_budget_and_provider_agree_to_the_nano_dollar(
    shop: Workspace, start_worker: StartWorker, provider: Provider, told: dict[str, Any]
) -> None:
    change_plan(workspace=shop, plan=Plan.objects.get(slug="free"))  # no dearer tier to go on to
    unpaid = {"status": 529}
    refused_text = {"text": "Guaranteed unbreakable for 99 years."}
    provider.behave(unpaid, refused_text, unpaid, {}, refused_text, unpaid, {}, {})
    with Sampler() as sampler:
        rivals = [start_worker(write_mugs, Payer(shop.pk, "api"), 12 * n, 12, **told) for n in range(2)]
        outcomes = Counter(outcome for rival in rivals for outcome, _ in rival.result())

    # A false text is written once more, so three mugs are hit by the outages, wherever the false texts fall.
    assert outcomes["provider_unavailable"] == 3
    assert outcomes["model"] + outcomes["text_refused"] == 21
    assert sampler.violations == []
    budget = budget_of(shop)
    calls = LlmCall.objects.in_workspace(shop).aggregate(sum=Sum("cost_nanos"))["sum"]
    assert ledger_sum(shop) == budget.spent_nanos == calls == metered(provider) > 0
    assert budget.reserved_nanos == 0


def test_settling_twice_and_at_once_counts_once(shop: Workspace, payer: Payer, start_worker: StartWorker) -> None:
    held = hold_many(payer, 40, CENT)

    rivals = [start_worker(settle_many, held, 7) for _ in range(4)]

    assert sum(rival.result() for rival in rivals) == 40
    budget = budget_of(shop)
    assert (budget.spent_nanos, budget.reserved_nanos) == (40 * 7, 0)
    assert UsageEntry.objects.in_workspace(shop).count() == 40


def expire(workspace: Workspace) -> None:
    Reservation.objects.in_workspace(workspace).update(expires_at=Now() - timedelta(seconds=1))


@pytest.mark.parametrize(("sent", "state", "spent"), [(False, "released", 0), (True, "committed", CENT)])
def test_killed_worker_costs_nothing_before_it_sent_and_the_ceiling_after(
    shop: Workspace, payer: Payer, start_worker: StartWorker, sent: bool, state: str, spent: int
) -> None:
    worker = start_worker(hold_and_hang, payer, CENT, sent)
    reached = Reservation.State.DISPATCHED if sent else Reservation.State.HELD
    assert eventually(lambda: Reservation.objects.in_workspace(shop).filter(state=reached).exists(), pause=0.02)
    worker.end()
    assert budgets.sweep() == 0  # its hold is not over yet
    expire(shop)

    assert budgets.sweep() == 1

    assert Reservation.objects.in_workspace(shop).get().state == state
    assert (budget_of(shop).spent_nanos, budget_of(shop).reserved_nanos) == (spent, 0)
    assert ledger_sum(shop) == spent
    assert budgets.sweep() == 0


def test_truth_that_comes_late_corrects_the_ceiling_once(shop: Workspace, payer: Payer) -> None:
    hold = hold_one(payer, CENT, sent=True)
    expire(shop)
    budgets.sweep()

    for _ in range(2):
        budgets.settle(hold, cost_nanos=123, tokens=Tokens(5, 0, 0, 9), is_answer=True)

    assert budget_of(shop).spent_nanos == ledger_sum(shop) == 123
    lines = UsageEntry.objects.in_workspace(shop).order_by("entry_no").values_list("basis", "cost_nanos", "calls")
    assert list(lines) == [("ceiling", CENT, 1), ("correction", 123 - CENT, 0)]
    assert Reservation.objects.in_workspace(shop).get().state == "corrected"


def test_hold_that_was_let_go_is_not_sent(shop: Workspace, payer: Payer) -> None:
    hold = hold_one(payer, CENT, sent=False)
    expire(shop)
    budgets.sweep()

    with pytest.raises(BudgetInFlight):
        budgets.dispatch(hold)


def test_provider_that_bills_more_than_was_asked_is_booked_in_full(shop: Workspace, payer: Payer) -> None:
    cap(shop, 2 * CENT)
    hold = hold_one(payer, CENT, sent=True)

    budgets.settle(hold, cost_nanos=3 * CENT, tokens=Tokens(1), is_answer=True)

    budget = budget_of(shop)
    assert (budget.spent_nanos, budget.overdraft_nanos, ledger_sum(shop)) == (3 * CENT, CENT, 3 * CENT)
    with pytest.raises(BudgetExhausted):
        hold_one(payer, 1, sent=False)


# --- A dead cheap model and a dear fallback ---------------------------------------------------------------------------


@pytest.fixture
def dear_fallback(db: None) -> Iterator[None]:
    """The cheap model first, then one of twenty times its price."""
    LlmModel.objects.filter(model_id="gpt-6-luna").update(is_default=False)
    LlmModel.objects.filter(model_id="gpt-6.1-sol").update(is_default=True, tier="economy")
    yield
    LlmModel.objects.filter(model_id="gpt-6-luna").update(is_default=True)
    LlmModel.objects.filter(model_id="gpt-6.1-sol").update(is_default=False, tier="standard")


def test_burst_that_falls_back_to_a_dear_model_stays_within_its_cap(
    shop: Workspace, start_worker: StartWorker, provider: Provider, told: dict[str, Any], dear_fallback: None
) -> None:
    cap(shop, 2 * CENT)
    nowhere = {
        "ANTHROPIC_BASE_URL": "http://127.0.0.1:9",
        "OPENAI_API_KEY": KEY,
        "OPENAI_BASE_URL": provider.openai.base_url,
    }
    with Sampler() as sampler:
        rivals = [start_worker(write_mugs, Payer(shop.pk, "api"), 25 * n, 25, **{**told, **nowhere}) for n in range(4)]
        results = [result for rival in rivals for result in rival.result()]

    outcomes = Counter(outcome for outcome, _ in results)
    budget = budget_of(shop)
    assert set(outcomes) == {"model", "budget_exhausted"}
    assert sampler.violations == []
    assert budget.spent_nanos == ledger_sum(shop) <= 2 * CENT
    # Nothing more would have fitted: what is left is less than the smallest ceiling that was asked for.
    holds = Reservation.objects.in_workspace(shop).filter(entry__model_id="gpt-6.1-sol", state="settled")
    assert 2 * CENT - budget.spent_nanos < max(holds.values_list("amount_nanos", flat=True))
    assert outcomes["model"] == provider.meter()["requests"] == holds.count()


# --- What changes meanwhile -------------------------------------------------------------------------------------------


def test_hold_settles_in_the_month_it_was_made_in(shop: Workspace, payer: Payer) -> None:
    cap(shop, CENT)
    hold = hold_one(payer, CENT, sent=True)
    month = timedelta(days=30)
    Budget.objects.in_workspace(shop).update(
        period_start=F("period_start") - month, period_end=F("period_end") - month
    )  # midnight strikes

    hold_one(payer, CENT, sent=True)  # the new month has money of its own
    budgets.settle(hold, cost_nanos=99, tokens=Tokens(1), is_answer=True)

    old, new = Budget.objects.in_workspace(shop).order_by("period_start")
    assert (old.spent_nanos, old.reserved_nanos) == (99, 0)
    assert (new.spent_nanos, new.reserved_nanos) == (0, CENT)


def test_clock_of_this_machine_opens_no_new_month(
    shop: Workspace, payer: Payer, monkeypatch: pytest.MonkeyPatch
) -> None:
    cap(shop, CENT)
    hold_one(payer, CENT, sent=True)
    monkeypatch.setattr("time.time", lambda: 4_000_000_000.0)

    with pytest.raises(BudgetInFlight):
        budgets.reserve(payer, attempt(), CENT, wait_seconds=0)

    assert Budget.objects.in_workspace(shop).count() == 1


def test_cap_lowered_below_what_is_held_admits_nothing_more_and_loses_nothing(shop: Workspace, payer: Payer) -> None:
    cap(shop, 3 * CENT)
    holds = [hold_one(payer, CENT, sent=True) for _ in range(3)]

    cap(shop, CENT)

    assert budget_of(shop).overdraft_nanos == 2 * CENT
    with pytest.raises(BudgetInFlight):
        budgets.reserve(payer, attempt(), CENT, wait_seconds=0)
    for hold in holds:
        budgets.settle(hold, cost_nanos=CENT // 4, tokens=Tokens(1), is_answer=True)
    budget = budget_of(shop)
    assert (budget.spent_nanos, budget.reserved_nanos, budget.overdraft_nanos) == (3 * CENT // 4, 0, 0)
    hold_one(payer, CENT // 4, sent=False)


def test_holds_of_a_deleted_key_member_and_run_settle_all_the_same(shop: Workspace, bob: User) -> None:
    key, _ = issue_key(workspace=shop, name="Script", scopes=["write"])
    type(key).objects.in_workspace(shop).update(spend_cap_nanos=CENT)
    shop.memberships.filter(user=bob).update(spend_cap_nanos=CENT)
    run_id = uuid.uuid4()
    budgets.open_run_budget(workspace_id=shop.pk, run_id=run_id, limit_nanos=CENT)
    payer = Payer(shop.pk, "run", user_id=bob.pk, api_key_id=key.pk, run_id=run_id)
    hold = hold_one(payer, CENT, sent=True)

    key.delete()
    bob.delete()
    budgets.apply_limits(shop.pk)
    budgets.settle(hold, cost_nanos=77, tokens=Tokens(1), is_answer=True)

    spent = dict(Budget.objects.in_workspace(shop).values_list("scope", "spent_nanos"))
    assert spent == {"workspace": 77, "key": 77, "member": 77, "run": 77}
    line = UsageEntry.objects.in_workspace(shop).get()
    assert (line.user_id, line.api_key_id, line.run_id) == (payer.user_id, payer.api_key_id, run_id)
