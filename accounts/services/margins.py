"""What comes in and what models cost, for staff: across workspaces, in as many queries however many there are.

Sums are the rollups' and, for the last minutes, those of the ledger lines that are not summed up yet.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db.models import DateTimeField, Subquery, Sum, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.dollars import NANOS_PER_CENT
from accounts.models import Plan, RollupMark, UsageEntry, UsageRollup, Workspace

NEVER = datetime(1970, 1, 1, tzinfo=UTC)
SUMMED = ("answers", "calls", "cost_nanos", "saved_nanos")


@dataclass(frozen=True, slots=True)
class Span:
    key: str
    name: str
    start: datetime


def spans() -> dict[str, Span]:
    today = datetime.combine(timezone.now().astimezone(UTC).date(), time.min, UTC)
    month, thirty = today.replace(day=1), today - timedelta(days=29)
    return {"month": Span("month", "This month", month), "30": Span("30", "Last 30 days", thirty)}


@dataclass(slots=True)
class Sums:
    answers: int = 0
    calls: int = 0
    cost_nanos: int = 0
    saved_nanos: int = 0

    def add(self, other: Sums) -> None:
        for column in SUMMED:
            setattr(self, column, getattr(self, column) + getattr(other, column))


@dataclass(slots=True)
class Margin:
    """Of one workspace, of all on one plan, or of all there are.

    Revenue is the plan's price of one month for each workspace: until payments are built, nobody knows what was paid.
    """

    pk: UUID | str = ""
    name: str = ""
    slug: str = ""
    plan: str = ""
    workspaces: int = 0
    revenue_nanos: int = 0
    sums: Sums = field(default_factory=Sums)

    @property
    def margin_nanos(self) -> int:
        return self.revenue_nanos - self.sums.cost_nanos

    @property
    def percent(self) -> int | None:
        """Of the revenue; None without any."""
        return 100 * self.margin_nanos // self.revenue_nanos if self.revenue_nanos else None

    @property
    def cost_percent(self) -> int:
        """Of the revenue, to be drawn: 100 when there is no margin, and never nothing for a cost."""
        if not self.sums.cost_nanos:
            return 0
        return max(1, min(100 * self.sums.cost_nanos // (self.revenue_nanos or 1), 100))

    @property
    def is_idle(self) -> bool:
        return not (self.revenue_nanos or self.sums.cost_nanos or self.sums.answers or self.sums.calls)

    def add(self, other: Margin) -> None:
        self.workspaces += other.workspaces
        self.revenue_nanos += other.revenue_nanos
        self.sums.add(other.sums)


@dataclass(frozen=True, slots=True)
class ModelSpend:
    provider: str
    model_id: str
    sums: Sums

    @property
    def without_text(self) -> int:
        """Calls that failed, or whose text was refused by the check."""
        return self.sums.calls - self.sums.answers


@dataclass(frozen=True, slots=True)
class LayerSaving:
    source: str
    sums: Sums


@dataclass(frozen=True, slots=True)
class Margins:
    span: Span
    total: Margin
    plans: list[Margin]
    workspaces: list[Margin]
    models: list[ModelSpend]
    layers: list[LayerSaving]


def margins(span: Span) -> Margins:
    workspaces = _workspaces(span)
    plans = {plan.pk: Margin(pk=plan.pk, name=plan.name, plan=plan.pk) for plan in Plan.objects.all()}
    total = Margin(name="All")
    for row in workspaces:
        plans[row.plan].add(row)
        total.add(row)
    models, layers = _models_and_layers(span)
    return Margins(span, total, list(plans.values()), workspaces, models, layers)


def _workspaces(span: Span) -> list[Margin]:
    sums = _sums(span, "workspace")
    rows = Workspace.objects.values_list("pk", "name", "slug", "plan_id", "plan__monthly_price_cents")
    return [
        Margin(pk, name, slug, plan, 1, cents * NANOS_PER_CENT, sums.get((pk,), Sums()))
        for pk, name, slug, plan, cents in rows
    ]


def _models_and_layers(span: Span) -> tuple[list[ModelSpend], list[LayerSaving]]:
    models: dict[tuple[str, str], Sums] = defaultdict(Sums)
    layers: dict[str, Sums] = defaultdict(Sums)
    for (provider, model_id, source), sums in _sums(span, "provider", "model_id", "source").items():
        (models[provider, model_id] if source == "model" else layers[source]).add(sums)
    spends = [ModelSpend(*key, sums) for key, sums in models.items()]
    savings = [LayerSaving(source, sums) for source, sums in layers.items()]
    return (
        sorted(spends, key=lambda row: (-row.sums.cost_nanos, row.provider, row.model_id)),
        sorted(savings, key=lambda row: (-row.sums.saved_nanos, row.source)),
    )


def _sums(span: Span, *keys: str) -> dict[Any, Sums]:
    """By these columns. One statement reads rollups, mark and ledger, so a line counts once while they move on."""
    mark = Subquery(RollupMark.objects.values("recorded_until")[:1])
    summed_until = Coalesce(mark, Value(NEVER), output_field=DateTimeField())
    rollups = UsageRollup.objects.across_workspaces().filter(grain=UsageRollup.Grain.DAY, start__gte=span.start)
    recent = UsageEntry.objects.across_workspaces().filter(occurred_at__gte=span.start, recorded_at__gt=summed_until)
    return _folded(_by(rollups, keys).union(_by(recent, keys), all=True), len(keys))


def _by(rows: Any, keys: Iterable[str]) -> Any:
    sums = {f"{column}_sum": Sum(column) for column in SUMMED}
    return rows.order_by().values_list(*keys).annotate(**sums)


def _folded(rows: Iterator[Any], width: int) -> dict[Any, Sums]:
    found: dict[Any, Sums] = defaultdict(Sums)
    for row in rows:
        found[row[:width]].add(Sums(*row[width:]))
    return found
