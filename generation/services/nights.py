"""Nights as people see them: what tonight would do, what past ones did, and the ways to start and stop them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Q, QuerySet, Sum
from django.utils import timezone

from accounts.models import Budget, UsageRollup, Workspace
from accounts.services.caps import set_night_cap
from contentopt import jobs
from contentopt.errors import Conflict
from contentopt.jobs import UNFINISHED, JobState
from generation.batches import queue
from generation.models import BatchPart, Night
from generation.nights import items
from generation.nights.planning import Plan, in_words, plan_for

PRECOMPUTED = "precomputed"  # the source of answers that a night wrote
SUMMED_DAYS = 30


@dataclass(frozen=True, slots=True)
class NightFigures:
    """What became of one night. Nano-dollars. `saved_nanos` is what texts written ahead saved on its day,
    `batch_saved_nanos` what writing them by batch did. `upstream` texts wait for one."""

    night: Night
    planned: int
    written: int
    failed: int
    cancelled: int
    waiting: int
    reasons: list[tuple[str, int]]
    cost_nanos: int
    held_nanos: int
    saved_nanos: int
    answers: int
    upstream: int
    batch_saved_nanos: int

    @property
    def state(self) -> str:
        if self.night.state == JobState.CANCELLED:
            return "Cancelled"
        if self.night.state == JobState.FAILED:
            return "Failed"
        if self.night.state in UNFINISHED:
            return "Being planned"
        if self.upstream and self.upstream == self.waiting:
            return "With the provider"
        return "Writing" if self.waiting else "Written"

    @property
    def is_open(self) -> bool:
        return bool(self.waiting) or self.night.state in UNFINISHED


@dataclass(frozen=True, slots=True)
class NightSums:
    """Of the last 30 days: texts written ahead and their cost, answers given from them and what those saved; and what
    the batch price did."""

    written: int
    cost_nanos: int
    batch_saved_nanos: int
    answers: int
    saved_nanos: int


def tonight(workspace: Workspace) -> Plan:
    """What the coming night would write if it began now. Nothing is changed."""
    date = items.hours().date(timezone.now())
    return plan_for(workspace, Night.objects.in_workspace(workspace).filter(date=date).first())


def next_night(now: datetime | None = None) -> tuple[datetime, datetime]:
    """When the present night began or the coming one will, and when it ends. UTC."""
    return items.hours().span(now or timezone.now())


def is_on() -> bool:
    """Whether nights begin by themselves."""
    return bool(settings.NIGHT_IS_ON)


def start_night(workspace: Workspace) -> Night:
    """Write at once what tonight would; with what is left of tonight's budget if it was written already."""
    if not workspace.night_cap_nanos:
        raise Conflict(f"{workspace} writes nothing ahead: its cap for a night is $0.")
    night = items.open_now(workspace)
    jobs.publish_on_commit(items.PLAN_NIGHT, str(night.pk))
    return night


@transaction.atomic
def cancel_night(night: Night) -> int:
    """What is not begun is let go, at no cost. How many texts. What a provider has written by then is kept."""
    let_go = items.cancel(night)
    queue.cancel(night)
    return let_go


@transaction.atomic
def change_night_cap(*, workspace: Workspace, cap_nanos: int | None) -> None:
    """From now on, for a night that has begun as well; without one it is cancelled. Raises CapRefused (422)."""
    set_night_cap(workspace=workspace, cap_nanos=cap_nanos)
    date = items.hours().date(timezone.now())
    for night in Night.objects.in_workspace(workspace).filter(date=date):
        items.change_cap(night, cap_nanos or 0)
        if not cap_nanos:
            cancel_night(night)


def figures_of(nights: Sequence[Night]) -> list[NightFigures]:
    """In as many queries for fifty nights as for one."""
    ids = [night.pk for night in nights]
    rows = Night.objects.across_workspaces().filter(pk__in=ids)
    states: dict[object, Counter[str]] = {pk: Counter() for pk in ids}
    reasons: dict[object, Counter[str]] = {pk: Counter() for pk in ids}
    for pk, state, reason, count in rows.order_by().values_list("pk", "items__state", "items__reason", Count("items")):
        if state:
            states[pk][state] += count
            reasons[pk][reason] += count
    found = Budget.objects.across_workspaces().filter(scope=Budget.Scope.NIGHT, scope_id__in=ids)
    budget_of = {budget.scope_id: budget for budget in found}
    saved = _saved(nights)
    upstream = _upstream(nights)
    return [
        NightFigures(
            night=night,
            planned=max(sum(states[night.pk].values()), night.item_count),
            written=states[night.pk][JobState.DONE],
            failed=states[night.pk][JobState.FAILED],
            cancelled=states[night.pk][JobState.CANCELLED],
            waiting=sum(states[night.pk][state] for state in UNFINISHED),
            reasons=in_words(reasons[night.pk]),
            cost_nanos=budget_of[night.pk].spent_nanos if night.pk in budget_of else 0,
            held_nanos=budget_of[night.pk].reserved_nanos if night.pk in budget_of else 0,
            answers=saved.get((night.workspace_id, night.date), (0, 0))[0],
            saved_nanos=saved.get((night.workspace_id, night.date), (0, 0))[1],
            upstream=upstream.get(night.pk, (0, 0))[0],
            batch_saved_nanos=upstream.get(night.pk, (0, 0))[1],
        )
        for night in nights
    ]


def _upstream(nights: Sequence[Night]) -> dict[object, tuple[int, int]]:
    """Night -> requests in batches that are not answered yet, and what those that are have saved by it."""
    parts = BatchPart.objects.across_workspaces().filter(batch__night__in=nights)
    sums = (
        parts.order_by()
        .values_list("batch__night")
        .annotate(pending=Count("pk", Q(state__in=BatchPart.PENDING)), saved=Sum("saved_nanos"))
    )
    return {night: (pending, saved) for night, pending, saved in sums}


def _saved(nights: Sequence[Night]) -> dict[tuple[object, object], tuple[int, int]]:
    """(workspace, day) -> answers from texts written ahead, and what they saved. From the ledger's sums by day."""
    days = {datetime.combine(night.date, time(), UTC) for night in nights}
    rows = _precomputed(UsageRollup.objects.across_workspaces()).filter(
        workspace__in={night.workspace_id for night in nights}, start__in=days
    )
    sums = rows.order_by().values_list("workspace_id", "start").annotate(n=Sum("answers"), saved=Sum("saved_nanos"))
    return {(workspace_id, start.date()): (n, saved) for workspace_id, start, n, saved in sums}


def _precomputed(rollups: QuerySet[UsageRollup]) -> QuerySet[UsageRollup]:
    return rollups.filter(grain=UsageRollup.Grain.DAY, source=PRECOMPUTED)


def sums_of(workspace: Workspace | None = None) -> NightSums:
    """Of one workspace, or of all."""
    first = timezone.now() - timedelta(days=SUMMED_DAYS)
    whose = Q(workspace=workspace) if workspace else Q()
    nights = Night.objects.across_workspaces().filter(whose, date__gte=first.date())
    written = nights.aggregate(n=Count("items", Q(items__state=JobState.DONE)))
    budgets = Budget.objects.across_workspaces().filter(whose, scope=Budget.Scope.NIGHT, period_start__gte=first)
    cost = budgets.aggregate(sum=Sum("spent_nanos"))["sum"]
    rollups = _precomputed(UsageRollup.objects.across_workspaces().filter(whose, start__gte=first))
    answered = rollups.aggregate(n=Sum("answers"), saved=Sum("saved_nanos"))
    parts = BatchPart.objects.across_workspaces().filter(whose, batch__night__date__gte=first.date())
    by_batch = parts.aggregate(sum=Sum("saved_nanos"))["sum"]
    return NightSums(written["n"], cost or 0, by_batch or 0, answered["n"] or 0, answered["saved"] or 0)


def past_nights(workspace: Workspace, count: int) -> list[NightFigures]:
    """Newest first."""
    return figures_of(list(Night.objects.in_workspace(workspace)[:count]))
