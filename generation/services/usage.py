"""What a workspace used, from the ledger's sums and its newest lines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db.models import Max, Q, Sum
from django.db.models.functions import TruncDate, TruncHour
from django.utils import timezone

from accounts.models import ApiKey, Membership, RollupMark, UsageEntry, UsageRollup, Workspace
from accounts.services.caps import BudgetState
from generation.models import Night, Run

MODEL = "model"  # the one source that is no cache layer
LAYERS = {
    MODEL: "Written by a model",
    "exact": "Same facts written before",
    "template": "Filled from a sibling's text",
    "semantic": "Same facts in other words",
    "precomputed": "Written ahead at night",
    "coalesced": "Shared with an identical request",
}
ENDPOINTS = {
    "api": "API",
    "page": "Pages",
    "run": "Runs",
    "terminal": "Terminal",
    "visitor": "Visitors",
    "trial": "Trials of models",
    "night": "Overnight",
}


class By(StrEnum):
    """What figures can be told apart by."""

    DAY = "day"
    MEMBER = "member"
    KEY = "key"
    RUN = "run"
    MODEL = "model"
    LAYER = "layer"
    ENDPOINT = "endpoint"


@dataclass(slots=True)
class Figures:
    """Sums of ledger lines. `free` answers are those that no model was called for."""

    answers: int = 0
    free: int = 0
    calls: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int = 0
    cost_nanos: int = 0
    saved_nanos: int = 0

    def add(self, other: Figures) -> None:
        for column in fields(Figures):
            setattr(self, column.name, getattr(self, column.name) + getattr(other, column.name))


@dataclass(frozen=True, slots=True)
class Group:
    """The figures of one day, member, key …. `id` is what the ledger's lines carry; None where they carry none."""

    id: str | None
    name: str
    figures: Figures


@dataclass(frozen=True, slots=True)
class Span:
    """Whole days, UTC, both ends included."""

    first: date
    last: date

    @classmethod
    def of_days(cls, days: int) -> Span:
        """Up to today."""
        today = timezone.now().date()
        return cls(today - timedelta(days=days - 1), today)

    @property
    def starts_at(self) -> datetime:
        return datetime.combine(self.first, time(), UTC)

    @property
    def ends_at(self) -> datetime:
        return datetime.combine(self.last, time(), UTC) + timedelta(days=1)

    @property
    def days(self) -> list[date]:
        return [self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1)]


@dataclass(frozen=True)
class Usage:
    """A workspace's figures in a span. Ask it for as many groupings as needed: all read the same hours from the same
    place, so their sums agree."""

    workspace: Workspace
    span: Span
    day_rows: Q
    hour_rows: Q
    lines: Q

    def by(self, what: By) -> list[Group]:
        """Dearest first, days in order; only groups that there is something to say of."""
        found: dict[Any, Figures] = {}
        rollups = UsageRollup.objects.in_workspace(self.workspace)
        entries = UsageEntry.objects.in_workspace(self.workspace)
        for rows, moment in (
            (rollups.filter(self.day_rows, grain=UsageRollup.Grain.DAY), "start"),
            (rollups.filter(self.hour_rows, grain=UsageRollup.Grain.HOUR), "start"),
            (entries.filter(self.lines), "occurred_at"),
        ):
            for key, figures in _sums(rows, moment, what):
                found.setdefault(key, Figures()).add(figures)
        name_of = NAMES[what](self.workspace, list(found))
        groups = [Group(None if key is None else str(key), name_of(key), found[key]) for key in found]
        if what == By.DAY:
            return sorted(groups, key=lambda group: group.id or "")
        return sorted(groups, key=lambda group: (-group.figures.cost_nanos, -group.figures.answers, group.name))

    def every_day(self) -> list[Group]:
        """Also the days without work, so that they can be drawn."""
        found = {group.id: group for group in self.by(By.DAY)}
        return [found.get(str(day)) or Group(str(day), day_name(day), Figures()) for day in self.span.days]


def read_usage(workspace: Workspace, span: Span) -> Usage:
    """Decide where each hour is read from: closed days and hours from the rollups, the rest from the ledger itself.

    An hour is closed once it ended before the mark and no line of it was recorded since; a provider's late word about
    an old call opens its hour again until the next rolling up.
    """
    within = Q(occurred_at__gte=span.starts_at, occurred_at__lt=span.ends_at)
    mark = RollupMark.objects.aggregate(until=Max("recorded_until"))["until"]
    if mark is None:
        nothing = Q(pk__in=())
        return Usage(workspace, span, nothing, nothing, within)
    open_from = mark.replace(minute=0, second=0, microsecond=0)
    late_lines = UsageEntry.objects.in_workspace(workspace).filter(
        within, occurred_at__lt=open_from, recorded_at__gte=mark
    )
    late = set(late_lines.order_by().values_list(TruncHour("occurred_at", tzinfo=UTC), flat=True).distinct())
    open_days = {hour.replace(hour=0) for hour in (*late, open_from)}
    closed = Q(start__gte=span.starts_at, start__lt=min(span.ends_at, open_from))
    lines = Q(occurred_at__gte=max(open_from, span.starts_at), occurred_at__lt=span.ends_at)
    for hour in late:
        lines |= Q(occurred_at__gte=hour, occurred_at__lt=hour + timedelta(hours=1))
    in_open_days = Q(pk__in=())
    for day in open_days:
        in_open_days |= Q(start__gte=day, start__lt=day + timedelta(days=1))
    return Usage(workspace, span, closed & ~in_open_days, closed & in_open_days & ~Q(start__in=late), lines)


SUMMED = [column.name for column in fields(Figures) if column.name != "free"]
COLUMNS = {
    By.MEMBER: "user_id",
    By.KEY: "api_key_id",
    By.RUN: "run_id",
    By.MODEL: "model_id",
    By.LAYER: "source",
    By.ENDPOINT: "endpoint",
}


def _sums(rows: Any, moment: str, what: By) -> Iterator[tuple[Any, Figures]]:
    column = COLUMNS.get(what, "day")
    if what == By.DAY:
        rows = rows.annotate(day=TruncDate(moment, tzinfo=UTC))
    sums: dict[str, Any] = {f"sum_{name}": Sum(name, default=0) for name in SUMMED}
    free = Sum("answers", filter=~Q(source=MODEL), default=0)
    for row in rows.order_by().values(column).annotate(sum_free=free, **sums):
        yield row[column], Figures(**{name: row[f"sum_{name}"] for name in (*SUMMED, "free")})


Names = Callable[[Any], str]


def member_names(workspace: Workspace) -> dict[UUID, str]:
    return dict(Membership.objects.in_workspace(workspace).values_list("user_id", "user__email"))


def key_names(workspace: Workspace) -> dict[UUID, str]:
    return dict(ApiKey.objects.in_workspace(workspace).values_list("id", "name"))


def _member_names(workspace: Workspace, _ids: list[Any]) -> Names:
    names = member_names(workspace)
    return lambda pk: names.get(pk, "Removed member") if pk else "Nobody signed in"


def _key_names(workspace: Workspace, _ids: list[Any]) -> Names:
    names = key_names(workspace)
    return lambda pk: names.get(pk, "Removed key") if pk else "On the pages"


def _run_names(workspace: Workspace, ids: list[Any]) -> Names:
    runs = Run.objects.in_workspace(workspace).filter(pk__in=ids).select_related("catalogue")
    names = {run.pk: run_name(run) for run in runs} | night_names(workspace, ids)
    return lambda pk: names.get(pk, "Removed run") if pk else "Single texts"


def night_names(workspace: Workspace, ids: Iterable[Any]) -> dict[UUID, str]:
    """The ledger's lines name a night as their run."""
    return {night.pk: str(night) for night in Night.objects.in_workspace(workspace).filter(pk__in=set(ids) - {None})}


def run_name(run: Run) -> str:
    return f"{run.catalogue.filename if run.catalogue else 'Selected products'}, {run.created_at:%-d %b %H:%M}"


def day_name(day: date) -> str:
    return f"{day:%a %-d %b %Y}"


def model_name(model_id: str) -> str:
    return "Offline writer" if model_id.startswith("offline") else model_id or "No model"


NAMES: dict[By, Callable[[Workspace, list[Any]], Names]] = {
    By.DAY: lambda _workspace, _ids: day_name,
    By.MEMBER: _member_names,
    By.KEY: _key_names,
    By.RUN: _run_names,
    By.MODEL: lambda _workspace, _ids: model_name,
    By.LAYER: lambda _workspace, _ids: lambda source: LAYERS.get(source, source.capitalize()),
    By.ENDPOINT: lambda _workspace, _ids: lambda endpoint: ENDPOINTS.get(endpoint, endpoint.capitalize()),
}


def total(groups: Iterable[Group]) -> Figures:
    sum_ = Figures()
    for group in groups:
        sum_.add(group.figures)
    return sum_


@dataclass(frozen=True, slots=True)
class WorkspaceUsage:
    """Every day of the span is there, also those without work, so that it can be drawn."""

    days: int
    by_day: list[Group]
    total: Figures

    @property
    def texts(self) -> int:
        return self.total.answers

    @property
    def free(self) -> int:
        return self.total.free

    @property
    def calls(self) -> int:
        return self.total.calls

    @property
    def cost_nanos(self) -> int:
        return self.total.cost_nanos


def usage_since(workspace: Workspace, *, days: int) -> WorkspaceUsage:
    by_day = read_usage(workspace, Span.of_days(days)).every_day()
    return WorkspaceUsage(days, by_day, total(by_day))


PACE_DAYS = 14
LEAST_PACE = timedelta(days=2)


class Outlook(StrEnum):
    USED_UP = "used_up"
    REACHED = "reached"
    MONTH_END = "month_end"
    QUIET = "quiet"
    TOO_EARLY = "too_early"


@dataclass(frozen=True, slots=True)
class Forecast:
    outlook: Outlook
    reached_on: date | None = None
    month_end_nanos: int = 0


def seconds(time_: timedelta) -> int:
    return max(int(time_.total_seconds()), 0)


def forecast(workspace: Workspace, budget: BudgetState) -> Forecast:
    """Where the pace of the last two weeks leads this month. Says so when there is too little to go on."""
    if budget.is_used_up or budget.resets_at is None:
        return Forecast(Outlook.USED_UP)
    now = timezone.now()
    days = read_usage(workspace, Span.of_days(PACE_DAYS)).by(By.DAY)
    paid = [group for group in days if group.figures.cost_nanos > 0]
    if not paid:
        return Forecast(Outlook.QUIET)
    elapsed = now - datetime.combine(date.fromisoformat(paid[0].id or ""), time(), UTC)
    if elapsed < LEAST_PACE:
        return Forecast(Outlook.TOO_EARLY)
    cost = total(paid).cost_nanos
    more = cost * seconds(budget.resets_at - now) // seconds(elapsed)
    if budget.left_nanos is not None and more >= budget.left_nanos:
        return Forecast(Outlook.REACHED, reached_on=(now + elapsed * (budget.left_nanos / cost)).date())
    return Forecast(Outlook.MONTH_END, month_end_nanos=budget.used_nanos + more)
