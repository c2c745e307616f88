"""The ledger summed up by hour and by day."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from accounts import budgets, metering, reconciling
from accounts.budgets import Payer
from accounts.metering import recompute, roll_up
from accounts.models import RollupMark, UsageEntry, UsageRollup, Workspace
from contentopt.celery import app
from generation.reconciling import RECONCILE
from tests.accounts.books import NOON, enter, hold, settle

pytestmark = pytest.mark.django_db

HOUR, DAY = datetime(2026, 3, 14, 12, tzinfo=UTC), datetime(2026, 3, 14, tzinfo=UTC)


def rollups(workspace: Workspace, grain: str) -> list[UsageRollup]:
    return list(UsageRollup.objects.in_workspace(workspace).filter(grain=grain).order_by("start", "source", "endpoint"))


def answers(workspace: Workspace, grain: str) -> dict[datetime, int]:
    return {row.start: row.answers for row in rollups(workspace, grain)}


def test_hours_and_days_are_summed_up(shop: Workspace) -> None:
    enter(shop)
    enter(shop, occurred_at=HOUR)
    enter(shop, occurred_at=HOUR + timedelta(minutes=59, seconds=59))
    enter(shop, occurred_at=HOUR + timedelta(hours=1))

    roll_up()

    assert answers(shop, "hour") == {HOUR: 3, HOUR + timedelta(hours=1): 1}
    assert answers(shop, "day") == {DAY: 4}


@pytest.mark.parametrize(
    "change",
    [
        {"user_id": uuid.uuid4()},
        {"api_key_id": uuid.uuid4()},
        {"run_id": uuid.uuid4()},
        {"endpoint": "page"},
        {"provider": "openai"},
        {"model_id": "gpt-6-luna"},
        {"tier": "premium"},
        {"source": "template"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_each_dimension_is_kept_apart(shop: Workspace, change: dict[str, Any]) -> None:
    enter(shop, saved_nanos=100)
    enter(shop, saved_nanos=20, **change)

    roll_up()

    for grain in ("hour", "day"):
        assert sorted(row.saved_nanos for row in rollups(shop, grain)) == [20, 100]
        assert UsageRollup.objects.in_workspace(shop).get(grain=grain, **change).saved_nanos == 20


def test_workspaces_are_kept_apart(shop: Workspace, other_shop: Workspace) -> None:
    enter(shop)
    enter(other_shop)

    roll_up()

    assert answers(shop, "day") == answers(other_shop, "day") == {DAY: 1}


def test_paid_answer_counts_with_its_tokens_and_a_correction_takes_back_what_was_too_much(shop: Workspace) -> None:
    reservation = hold(Payer(shop.pk, "api"), 1000)
    budgets.commit_ceiling(reservation)
    roll_up()
    assert [(row.calls, row.answers, row.cost_nanos) for row in rollups(shop, "hour")] == [(1, 0, 1000)]

    settle(reservation, 300)
    roll_up()

    for grain in ("hour", "day"):
        (row,) = rollups(shop, grain)
        assert (row.calls, row.answers, row.cost_nanos) == (1, 1, 300)
        assert (row.input_tokens, row.cached_tokens, row.cache_write_tokens, row.output_tokens) == (90, 10, 0, 25)


def test_late_line_lands_in_its_own_hour(shop: Workspace) -> None:
    enter(shop)
    enter(shop, occurred_at=timezone.now())
    roll_up()

    enter(shop)
    roll_up()

    assert answers(shop, "hour")[HOUR] == 2
    assert answers(shop, "day")[DAY] == 2


def test_rolling_up_again_changes_nothing(shop: Workspace) -> None:
    enter(shop)
    roll_up()
    before = list(UsageRollup.objects.in_workspace(shop).order_by("pk").values())

    roll_up()

    assert list(UsageRollup.objects.in_workspace(shop).order_by("pk").values()) == before


def test_rollups_hold_what_was_recorded_up_to_the_mark(shop: Workspace) -> None:
    """So that a reader can add the lines after it, and count none twice."""
    enter(shop)
    enter(shop, recorded_at=timezone.now() + timedelta(hours=1))

    roll_up()

    after = UsageEntry.objects.in_workspace(shop).filter(recorded_at__gt=RollupMark.objects.get().recorded_until)
    assert answers(shop, "day") == {DAY: 1}
    assert after.count() == 1


@pytest.fixture
def spoiled(shop: Workspace) -> Workspace:
    """Two days of rollups that say nonsense, one with a line too many, of what was recorded long ago."""
    enter(shop, recorded_at=NOON)
    enter(shop, recorded_at=NOON, occurred_at=NOON + timedelta(days=1))
    roll_up()
    UsageRollup.objects.in_workspace(shop).update(answers=99)
    wrong = rollups(shop, "hour")[1]
    wrong.pk, wrong.source = uuid.uuid4(), "template"
    wrong.save(force_insert=True)
    return shop


def test_any_span_can_be_made_anew_from_the_ledger(spoiled: Workspace) -> None:
    recompute(date(2026, 3, 15))

    assert answers(spoiled, "day") == {DAY: 99, DAY + timedelta(days=1): 1}
    assert answers(spoiled, "hour") == {HOUR: 99, HOUR + timedelta(days=1): 1}


def test_staff_make_rollups_anew_from_a_terminal(spoiled: Workspace) -> None:
    call_command("roll_up", "--since", "2026-03-14", stdout=StringIO())

    assert answers(spoiled, "day") == {DAY: 1, DAY + timedelta(days=1): 1}
    assert len(rollups(spoiled, "hour")) == 2


def test_its_work_is_on_the_delivery_queue() -> None:
    tasks = (metering.DRAIN, metering.ROLL_UP, reconciling.TELL_STAFF, RECONCILE)
    app.loader.import_default_modules()

    assert set(tasks) <= set(app.tasks)
    assert {app.amqp.router.route({}, name)["queue"].name for name in tasks} == {"delivery"}
