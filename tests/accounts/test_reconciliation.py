"""The books are compared every day: silent when they balance, loud about each kind of difference."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core import mail
from django.core.management import call_command
from django.db.models import F
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import reconciling
from accounts.budgets import Payer
from accounts.metering import roll_up
from accounts.models import Budget, Reconciliation, Reservation, UsageEntry, UsageRollup, User, Workspace
from accounts.tasks import tell_staff
from generation.models import LlmCall
from generation.reconciling import reconcile, reconcile_once_a_day
from tests.accounts.books import enter, every_state, hold, pay
from tests.conftest import SignIn

pytestmark = pytest.mark.django_db

YESTERDAY = timezone.now() - timedelta(days=1)


def record_call(workspace: Workspace, pk: uuid.UUID, cost_nanos: int) -> LlmCall:
    known: dict[str, Any] = {
        "text_id": uuid.uuid4(),
        "fingerprint": "f",
        "provider": "anthropic",
        "model_id": "m",
        "tier": "economy",
        "attempt": 1,
    }
    return LlmCall.objects.create(
        pk=pk, workspace=workspace, price_version="2026-11", outcome="accepted", cost_nanos=cost_nanos, **known
    )


@pytest.fixture
def books(shop: Workspace, other_shop: Workspace) -> dict[str, uuid.UUID]:
    """Healthy books of yesterday: reservations in every state, their calls, free answers, rollups."""
    states = every_state(Payer(shop.pk, "api"))
    pay(Payer(other_shop.pk, "page"), 0)
    enter(shop, occurred_at=YESTERDAY)
    UsageEntry.objects.across_workspaces().update(recorded_at=YESTERDAY, occurred_at=YESTERDAY)
    Reservation.objects.across_workspaces().update(created_at=YESTERDAY)
    for reservation in Reservation.objects.across_workspaces().filter(dispatched_at__isnull=False):
        record_call(reservation.workspace, reservation.pk, reservation.cost_nanos)
    LlmCall.objects.across_workspaces().update(created_at=YESTERDAY)
    roll_up()
    return states


def test_calls_from_before_there_was_a_ledger_are_left_alone(books: dict[str, uuid.UUID], shop: Workspace) -> None:
    old = record_call(shop, uuid.uuid4(), 77)
    LlmCall.objects.in_workspace(shop).filter(pk=old.pk).update(created_at=YESTERDAY, text_id=None)

    assert differences() == []


def differences() -> list[dict[str, str]]:
    found: list[dict[str, str]] = reconcile().differences
    return found


def test_healthy_books_balance(books: dict[str, uuid.UUID]) -> None:
    found = reconcile()

    assert found.differences == []
    assert found.checked == {"budgets": 3, "reservations": 8, "rollups": 6, "model calls": 6}


def lines() -> Any:
    return UsageEntry.objects.across_workspaces()


def change_spent(_: dict[str, uuid.UUID]) -> None:
    Budget.objects.across_workspaces().filter(scope="platform").update(spent_nanos=F("spent_nanos") + 1)


def change_held(_: dict[str, uuid.UUID]) -> None:
    Budget.objects.across_workspaces().filter(scope="workspace").update(reserved_nanos=F("reserved_nanos") + 1)


def lose_line(books: dict[str, uuid.UUID]) -> None:
    lines().filter(reservation_id=books["settled"]).delete()


def change_line(books: dict[str, uuid.UUID]) -> None:
    lines().filter(reservation_id=books["settled"]).update(cost_nanos=401)


def add_line(books: dict[str, uuid.UUID]) -> None:
    line = lines().get(reservation_id=books["released"])
    line.pk, line.entry_no = uuid.uuid4(), 2
    line.save(force_insert=True)


def change_state(books: dict[str, uuid.UUID]) -> None:
    Reservation.objects.across_workspaces().filter(pk=books["committed"]).update(state="settled")


def reopen(books: dict[str, uuid.UUID]) -> None:
    Reservation.objects.across_workspaces().filter(pk=books["released unsent"]).update(state="held")


def change_cost(books: dict[str, uuid.UUID]) -> None:
    Reservation.objects.across_workspaces().filter(pk=books["corrected"]).update(cost_nanos=1000)


def cost_without_reservation(_: dict[str, uuid.UUID]) -> None:
    lines().filter(basis="free").update(basis="exact", cost_nanos=5)


def change_hour(_: dict[str, uuid.UUID]) -> None:
    UsageRollup.objects.across_workspaces().filter(grain="hour", source="exact").update(answers=2)


def lose_day(_: dict[str, uuid.UUID]) -> None:
    UsageRollup.objects.across_workspaces().filter(grain="day", source="exact").delete()


def count_for_another(_: dict[str, uuid.UUID]) -> None:
    UsageRollup.objects.across_workspaces().filter(grain="hour", source="exact").update(user_id=uuid.uuid4())


def change_call(books: dict[str, uuid.UUID]) -> None:
    LlmCall.objects.across_workspaces().filter(pk=books["settled"]).update(cost_nanos=399)


def lose_call(books: dict[str, uuid.UUID]) -> None:
    LlmCall.objects.across_workspaces().filter(pk=books["settled"]).delete()


@pytest.mark.parametrize(
    ("plant", "where"),
    [
        (change_spent, {"platform budget"}),
        (change_held, {"workspace budget"}),
        (lose_line, {"platform budget", "workspace budget", "reservation", "model call", "hour"}),
        (change_line, {"platform budget", "workspace budget", "reservation", "model call", "hour"}),
        (add_line, {"reservation", "hour"}),
        (change_state, {"reservation"}),
        (reopen, {"platform budget", "workspace budget"}),
        (change_cost, {"reservation"}),
        (cost_without_reservation, {"ledger line", "hour"}),
        (change_hour, {"hour", "day"}),
        (lose_day, {"day"}),
        (count_for_another, {"hour", "day"}),
        (change_call, {"model call"}),
        (lose_call, {"ledger line"}),
    ],
)
def test_each_kind_of_difference_is_found(
    books: dict[str, uuid.UUID], plant: Callable[[dict[str, uuid.UUID]], None], where: set[str]
) -> None:
    plant(books)

    found = differences()

    kinds = ("platform budget", "workspace budget", "reservation", "ledger line", "model call", "hour", "day")
    assert {next(kind for kind in kinds if d["what"].startswith(kind)) for d in found} == where


def test_difference_is_told_in_words_and_nano_dollars(books: dict[str, uuid.UUID]) -> None:
    change_line(books)

    told = {d["what"]: (d["found"], d["expected"]) for d in differences()}

    assert told[f"reservation {books['settled']} (settled)"] == ("exact, cost 401", "exact, cost 400")
    assert told[f"model call {books['settled']}"] == ("cost 400", "cost 401")
    platform = Budget.objects.across_workspaces().get(scope="platform")
    assert told[f"platform budget {platform.pk}"] == ("spent 1700, held 2000", "spent 1701, held 2000")


def test_what_is_still_on_its_way_is_no_difference(shop: Workspace) -> None:
    """Lines that nobody rolled up yet, and a call whose hold is closed a moment before it is."""
    reservation = pay(Payer(shop.pk, "api"), 300)
    record_call(shop, reservation, 0)
    hold(Payer(shop.pk, "api"))
    enter(shop, occurred_at=timezone.now())

    assert differences() == []


def test_rollups_that_fell_behind_are_found(shop: Workspace) -> None:
    enter(shop, occurred_at=YESTERDAY, recorded_at=timezone.now() - timedelta(hours=2))

    assert [(d["found"], d["expected"]) for d in differences()] == [
        ("nothing", "answers 1, calls 0, tokens 0 0 0 0, cost 0, saved 700")
    ]


def test_long_list_of_differences_is_cut_and_says_so(shop: Workspace) -> None:
    line = UsageEntry(workspace=shop, basis="exact", source="model", endpoint="api", answers=1, calls=1, cost_nanos=5)
    line.occurred_at = timezone.now()
    copies = [UsageEntry(**{f.attname: getattr(line, f.attname) for f in line._meta.fields[1:]}) for _ in range(103)]
    UsageEntry.objects.bulk_create(copies)

    found = differences()

    assert len(found) == reconciling.SHOWN_OF_EACH + 1
    assert found[-1]["what"] == "reservations: 3 more"


@pytest.fixture
def staff(db: None) -> User:
    User.objects.create_user("left@contentopt.example", is_staff=True, is_active=False)
    return User.objects.create_superuser("staff@contentopt.example", "a long pass phrase")


@pytest.fixture
def wrong_books(books: dict[str, uuid.UUID]) -> None:
    change_spent(books)


@pytest.mark.usefixtures("wrong_books")
def test_difference_raises_the_alarm(
    staff: User, caplog: pytest.LogCaptureFixture, django_capture_on_commit_callbacks: Any
) -> None:
    with caplog.at_level(logging.ERROR), django_capture_on_commit_callbacks(execute=True) as published:
        found = reconcile()
    tell_staff(str(found.pk))

    assert "books_do_not_balance" in caplog.text
    assert len(published) == 1
    (letter,) = mail.outbox
    assert letter.to == [staff.email]
    assert "The books do not balance" in letter.subject
    assert "platform budget" in letter.body


def test_balanced_books_disturb_nobody(
    books: dict[str, uuid.UUID], caplog: pytest.LogCaptureFixture, django_capture_on_commit_callbacks: Any
) -> None:
    with caplog.at_level(logging.ERROR), django_capture_on_commit_callbacks() as published:
        reconcile()

    assert (caplog.records, published) == ([], [])


def test_books_are_compared_once_a_day_however_often_it_is_asked_for(db: None) -> None:
    reconcile_once_a_day()
    assert not reconciling.is_due()

    reconcile_once_a_day()
    assert Reconciliation.objects.count() == 1

    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    Reconciliation.objects.update(created_at=today - timedelta(microseconds=1))
    assert reconciling.is_due()
    reconcile_once_a_day()
    assert Reconciliation.objects.count() == 2


@pytest.mark.usefixtures("wrong_books")
def test_command_shows_the_differences_and_fails() -> None:
    said = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("reconcile", stdout=said)

    assert ended.value.code == 1
    assert "platform budget" in said.getvalue()


def test_command_says_that_the_books_balance(books: dict[str, uuid.UUID]) -> None:
    said = StringIO()
    call_command("reconcile", "--days", "3", stdout=said)

    assert "The books balance" in said.getvalue()


@pytest.mark.usefixtures("wrong_books")
def test_staff_see_differences_and_cannot_change_them(staff: User, sign_in: SignIn) -> None:
    row = reconcile()
    client: Client = sign_in(staff)
    url = reverse("admin:accounts_reconciliation_change", args=[row.pk])

    assert "Differences: 1" in client.get(reverse("admin:accounts_reconciliation_changelist")).content.decode()
    assert "platform budget" in client.get(url).content.decode()
    client.post(url, {"differences": "[]"})
    row.refresh_from_db()
    assert not row.is_balanced
    assert client.post(reverse("admin:accounts_reconciliation_delete", args=[row.pk])).status_code == 403
