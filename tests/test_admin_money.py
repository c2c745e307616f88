"""What staff see of money, and the switch that stops it."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import Sum
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts import budgets
from accounts.budgets import Attempt, Payer, PlatformStopped, Tokens
from accounts.dollars import NANOS_PER_DOLLAR
from accounts.metering import roll_up
from accounts.models import (
    Budget,
    Plan,
    Platform,
    Reconciliation,
    Reservation,
    UsageEntry,
    UsageRollup,
    User,
    Workspace,
)
from accounts.services.margins import Margins, margins, spans
from accounts.services.workspaces import change_plan, create_workspace
from tests.conftest import SignIn, say_why

pytestmark = pytest.mark.django_db

DOLLAR = NANOS_PER_DOLLAR


def hold(workspace: Workspace, nanos: int, model_id: str = "claude-haiku-5-5") -> Attempt:
    attempt = Attempt(uuid4(), uuid4(), "anthropic", model_id, "economy", "2026-11")
    budgets.reserve(Payer(workspace.pk, "api"), attempt, nanos, wait_seconds=0)
    return attempt


def pay(workspace: Workspace, nanos: int, model_id: str = "claude-haiku-5-5", *, is_answer: bool = True) -> None:
    attempt = hold(workspace, nanos, model_id)
    budgets.dispatch(attempt.id)
    budgets.settle(attempt.id, cost_nanos=nanos, tokens=Tokens(900, 0, 0, 250), is_answer=is_answer)


def answer_free(workspace: Workspace, source: str, saved_nanos: int) -> None:
    UsageEntry.objects.create(
        workspace=workspace,
        basis=UsageEntry.Basis.FREE,
        source=source,
        endpoint="api",
        provider="anthropic",
        model_id="claude-haiku-5-5",
        answers=1,
        calls=0,
        cost_nanos=0,
        saved_nanos=saved_nanos,
        occurred_at=timezone.now(),
    )


def this_month() -> Margins:
    return margins(spans()["month"])


def spend_in_two_shops(shop: Workspace, other_shop: Workspace) -> None:
    change_plan(workspace=other_shop, plan=Plan.objects.get(slug="pro"))
    pay(shop, 3_000_001)
    pay(shop, 2, is_answer=False)
    answer_free(shop, "exact", 3_000_001)
    roll_up()
    pay(shop, 500, "claude-sonnet-5-5")
    pay(other_shop, 25 * DOLLAR // 10)
    answer_free(other_shop, "template", 7)


def test_margins_are_those_of_the_ledger_summed_up_or_not(shop: Workspace, other_shop: Workspace) -> None:
    spend_in_two_shops(shop, other_shop)

    found = this_month()

    rows = {row.pk: row for row in found.workspaces}
    ours, theirs = rows[shop.pk], rows[other_shop.pk]
    assert (ours.revenue_nanos, ours.sums.cost_nanos, ours.margin_nanos) == (0, 3_000_503, -3_000_503)
    assert (ours.sums.answers, ours.sums.calls, ours.sums.saved_nanos) == (3, 3, 3_000_001)
    assert (theirs.revenue_nanos, theirs.sums.cost_nanos) == (24 * DOLLAR, 25 * DOLLAR // 10)
    assert theirs.percent == 89
    plans = {row.pk: (row.workspaces, row.revenue_nanos, row.sums.cost_nanos) for row in found.plans}
    assert plans["pro"] == (1, 24 * DOLLAR, 25 * DOLLAR // 10)
    assert plans["internal"] == (2, 0, 3_000_503)  # the visitors' workspace is the other one
    assert [(m.model_id, m.sums.calls, m.without_text, m.sums.cost_nanos) for m in found.models] == [
        ("claude-haiku-5-5", 3, 1, 2_503_000_003),
        ("claude-sonnet-5-5", 1, 0, 500),
    ]
    assert [(layer.source, layer.sums.saved_nanos) for layer in found.layers] == [("exact", 3_000_001), ("template", 7)]
    ledger = UsageEntry.objects.across_workspaces().aggregate(cost=Sum("cost_nanos"), saved=Sum("saved_nanos"))
    assert (found.total.sums.cost_nanos, found.total.sums.saved_nanos) == (ledger["cost"], ledger["saved"])


def test_what_happened_before_the_span_is_left_out(shop: Workspace) -> None:
    pay(shop, 5)
    long_ago = timezone.now() - timedelta(days=62)
    UsageEntry.objects.in_workspace(shop).update(occurred_at=long_ago)
    UsageRollup.objects.create(
        workspace=shop, grain="day", start=long_ago, endpoint="api", source="model", answers=1, calls=1, input_tokens=0,
        cached_tokens=0, cache_write_tokens=0, output_tokens=0, cost_nanos=9, saved_nanos=0,
    )  # fmt: skip
    pay(shop, 7)

    assert this_month().total.sums.cost_nanos == 7
    assert margins(spans()["30"]).total.sums.cost_nanos == 7


def test_money_page_and_its_file_show_every_workspace_that_did_something(
    staff: Client, shop: Workspace, other_shop: Workspace
) -> None:
    spend_in_two_shops(shop, other_shop)
    Workspace.objects.filter(pk=other_shop.pk).update(name="=HYPERLINK(1)")

    page = staff.get(reverse("staff_money"), {"sort": "name"})

    assert [row.pk for row, _ in page.context["rows"]] == [other_shop.pk, shop.pk]
    assert reverse("admin:accounts_workspace_change", args=[shop.pk]) in page.content.decode()
    file = staff.get(reverse("staff_money_csv")).content.decode()
    rows = {row["workspace"]: row for row in csv.DictReader(io.StringIO(file))}
    assert set(rows) == {shop.slug, other_shop.slug}
    assert (rows[shop.slug]["cost_usd"], rows[shop.slug]["margin_usd"]) == ("0.003000503", "-0.003000503")
    assert rows[other_shop.slug]["name"] == "'=HYPERLINK(1)"


def queries_of(client: Client) -> int:
    with CaptureQueriesContext(connection) as queries:
        client.get(reverse("staff_money"))
    return len(queries)


def test_money_page_takes_as_many_queries_for_many_workspaces_as_for_few(staff: Client, shop: Workspace) -> None:
    pay(shop, 1_000)
    few = queries_of(staff)
    for n in range(12):
        pay(create_workspace(owner=User.objects.create_user(f"o{n}@shops.example"), name=f"Shop {n}"), 1_000)

    assert queries_of(staff) == few


def test_money_page_lists_budgets_beyond_their_limit_and_open_holds(staff: Client, shop: Workspace) -> None:
    pay(shop, 2 * DOLLAR)
    Workspace.objects.filter(pk=shop.pk).update(spend_cap_nanos=DOLLAR)
    budgets.apply_limits(shop.pk)
    Workspace.objects.filter(pk=shop.pk).update(spend_cap_nanos=None)

    page = staff.get(reverse("staff_money"))

    assert [(row.workspace, row.overdraft_nanos) for row in page.context["overdrafts"]] == [(shop, DOLLAR)]
    assert "0 open holds" in page.content.decode()


def test_money_page_says_what_does_not_agree(staff: Client) -> None:
    difference = {"what": "Spent of budget 7", "found": "1.25", "expected": "1.00"}
    Reconciliation.objects.create(checked={"budgets": 1}, differences=[difference])

    page = staff.get(reverse("staff_money")).content.decode()

    assert "1 difference between ledger, budgets and calls" in page
    assert "Spent of budget 7: 1.25; expected 1.00" in page


def test_stop_switch_refuses_new_holds_at_once_and_resuming_lifts_it(staff: Client, shop: Workspace) -> None:
    sent = hold(shop, 500)
    budgets.dispatch(sent.id)
    staff.post(reverse("staff_switch"), {"stop": "1", "reason": "A provider bills twice"})

    with pytest.raises(PlatformStopped) as refused:
        hold(shop, 500)
    assert (refused.value.status, refused.value.code) == (503, "provider_unavailable")
    # What was on its way is still paid, though the limit is nothing now.
    assert budgets.settle(sent.id, cost_nanos=400, tokens=Tokens(), is_answer=True) == Reservation.State.SETTLED
    for url in (reverse("staff_money"), reverse("admin:index")):
        page = staff.get(url).content.decode()
        assert "Paid calls are stopped" in page
        assert "A provider bills twice" in page

    staff.post(reverse("staff_switch"), {"resume": "1"})

    hold(shop, 500)
    messages = LogEntry.objects.order_by("action_time").values_list("change_message", flat=True)
    assert list(messages) == ["Paid calls are stopped: A provider bills twice", "Paid calls go on."]


def test_stop_switch_asks_why(staff: Client) -> None:
    staff.post(reverse("staff_switch"), {"stop": "1", "reason": " "})
    assert not Platform.objects.get().is_stopped

    form = {"day_limit_nanos": "100", "is_stopped": "on", "reason": ""}
    page = staff.post(reverse("admin:accounts_platform_change", args=[1]), form)
    assert "Say why" in page.content.decode()
    assert not Platform.objects.get().is_stopped


def test_staff_without_the_permission_read_but_cannot_stop(sign_in: SignIn) -> None:
    reader = User.objects.create_user("reader@contentopt.example", "a long pass phrase", is_staff=True)
    client = sign_in(reader)

    assert "Stop paid calls" not in client.get(reverse("staff_money")).content.decode()
    assert client.post(reverse("staff_switch"), {"stop": "1", "reason": "Because"}).status_code == 403
    assert not Platform.objects.get().is_stopped

    reader.user_permissions.add(Permission.objects.get(codename="change_platform"))
    client.post(reverse("staff_switch"), {"stop": "1", "reason": "Because"})
    assert Platform.objects.get().is_stopped


def test_switch_from_a_terminal(shop: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CommandError):
        call_command("spending", "stop")
    call_command("spending", "stop", reason="Night shift")
    with pytest.raises(PlatformStopped):
        hold(shop, 500)
    assert "paid calls: stopped: Night shift" in capsys.readouterr().out

    call_command("spending", "resume")
    hold(shop, 500)
    capsys.readouterr()
    call_command("spending", "status")

    assert capsys.readouterr().out.splitlines() == [
        "paid calls: on",
        "today: $0 spent, $0.0000005 held, of $100.00",
        "open holds: 1, $0.0000005, 0 expired",
    ]


def test_day_limit_is_typed_in_dollars_and_holds_at_once(staff: Client, shop: Workspace) -> None:
    pay(shop, 2_000_000)
    url = reverse("admin:accounts_platform_change", args=[1])
    assert 'value="100.00"' in staff.get(url).content.decode()

    refused = staff.post(url, {"day_limit_nanos": "-1", "reason": ""}).content.decode()
    assert "makes no sense here" in refused
    staff.post(url, {"day_limit_nanos": "0.0025", "reason": ""})

    assert Platform.objects.get().day_limit_nanos == 2_500_000
    hold(shop, 500_000)
    with pytest.raises(PlatformStopped):
        hold(shop, 1)
    staff.post(url, {"day_limit_nanos": "", "reason": ""})
    hold(shop, 5 * DOLLAR)


def limits_of(*workspaces: Workspace) -> list[int | None]:
    found = Budget.objects.across_workspaces().filter(scope=Budget.Scope.WORKSPACE)
    return [found.get(workspace=workspace).limit_nanos for workspace in workspaces]


def plan_form(plan: Plan, **changes: Any) -> dict[str, Any]:
    prices = ("monthly", "yearly", "seat", "overage")
    names = ("name", "position", "highest_tier", "stripe_lookup_key", *(f"{price}_price_cents" for price in prices))
    steps = {"limit_steps-TOTAL_FORMS": "0", "limit_steps-INITIAL_FORMS": "0"}
    return {**{name: getattr(plan, name) for name in names}, **steps, "features": "[]", "is_public": "on", **changes}


def test_lower_cap_of_a_plan_holds_for_current_budgets_of_its_workspaces(
    staff: Client, shop: Workspace, other_shop: Workspace
) -> None:
    pro = Plan.objects.get(slug="pro")
    change_plan(workspace=shop, plan=pro)
    pay(shop, DOLLAR)
    pay(other_shop, DOLLAR)
    assert limits_of(shop, other_shop) == [20 * DOLLAR, None]

    answer = staff.post(reverse("admin:accounts_plan_change", args=["pro"]), plan_form(pro, spend_cap_nanos="1.50"))

    assert answer.status_code == 302
    assert limits_of(shop, other_shop) == [3 * DOLLAR // 2, None]
    with pytest.raises(budgets.BudgetExhausted):
        hold(shop, DOLLAR)


def test_other_plan_of_a_workspace_holds_for_its_current_budget(staff: Client, shop: Workspace) -> None:
    pay(shop, DOLLAR // 2)
    inlines = {
        f"{name}-{field}": 0
        for name in ("memberships", "invitations", "api_keys")
        for field in ("TOTAL_FORMS", "INITIAL_FORMS")
    }
    url = reverse("admin:accounts_workspace_change", args=[shop.pk])
    say_why(staff, shop)

    staff.post(url, {"name": shop.name, "plan": "free", "standing": "good", "spend_cap_nanos": "", **inlines})
    assert limits_of(shop) == [DOLLAR]
    staff.post(url, {"name": shop.name, "plan": "free", "standing": "good", "spend_cap_nanos": "0.75", **inlines})
    assert limits_of(shop) == [3 * DOLLAR // 4]


def test_expired_holds_are_ended_and_the_others_are_left_alone(staff: Client, shop: Workspace) -> None:
    unsent, sent, fresh = hold(shop, 100), hold(shop, 20), hold(shop, 3)
    budgets.dispatch(sent.id)
    holds = Reservation.objects.in_workspace(shop)
    holds.exclude(pk=fresh.id).update(expires_at=timezone.now() - timedelta(seconds=1))
    url = reverse("admin:accounts_reservation_changelist")
    assert staff.get(url, {"attention": "expired"}).context["cl"].result_count == 2

    staff.post(url, {"action": "end_expired", "_selected_action": [str(fresh.id)]})

    assert {row.pk: row.state for row in holds} == {
        unsent.id: Reservation.State.RELEASED,
        sent.id: Reservation.State.COMMITTED,
        fresh.id: Reservation.State.HELD,
    }
    assert UsageEntry.objects.in_workspace(shop).get().cost_nanos == 20


def test_books_cannot_be_changed(staff: Client, shop: Workspace) -> None:
    pay(shop, 100)
    rows = {
        "budget": Budget.objects.in_workspace(shop).get(),
        "reservation": Reservation.objects.in_workspace(shop).get(),
        "usageentry": UsageEntry.objects.in_workspace(shop).get(),
    }
    say_why(staff, shop)
    for name, row in rows.items():
        page = reverse(f"admin:accounts_{name}_change", args=[row.pk])
        assert staff.get(page).status_code == 200
        assert staff.post(page, {"cost_nanos": "0"}).status_code == 403
        assert staff.post(reverse(f"admin:accounts_{name}_delete", args=[row.pk])).status_code == 403
        assert staff.get(reverse(f"admin:accounts_{name}_add")).status_code == 403
    assert staff.post(reverse("admin:accounts_platform_delete", args=[1])).status_code == 403
