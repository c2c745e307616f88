"""How models do: speed, failures, tokens, cost and what the check made of their texts, from the calls themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Aggregate, Count, DateTimeField, F, FloatField, Func, Q, QuerySet, Sum, Value
from django.utils import timezone

from generation.models import LlmCall

Outcome = LlmCall.Outcome
# A call without a text says nothing of how long one takes.
WITH_A_TEXT = (Outcome.ACCEPTED, Outcome.REFUSED)


class Percentile(Aggregate):
    """Of a column, over what is in it."""

    function = "percentile_cont"
    template = "%(function)s(%(fraction)s) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = FloatField()

    def __init__(self, column: str, fraction: float, **extra: Any) -> None:
        super().__init__(column, fraction=fraction, **extra)


@dataclass(frozen=True, slots=True)
class Span:
    """The last hours or days, in steps that a drawing shows one by one."""

    key: str
    name: str
    length: timedelta
    step: timedelta

    @property
    def steps(self) -> int:
        return self.length // self.step

    def start(self, now: datetime) -> datetime:
        """The beginning of the first step; the last one holds `now`. Steps begin on the hour, or at midnight UTC."""
        origin = datetime(2026, 1, 1, tzinfo=now.tzinfo)
        return origin + ((now - origin) // self.step + 1 - self.steps) * self.step


SPANS = {
    span.key: span
    for span in (
        Span("day", "24 hours", timedelta(days=1), timedelta(hours=1)),
        Span("week", "7 days", timedelta(days=7), timedelta(hours=6)),
        Span("month", "30 days", timedelta(days=30), timedelta(days=1)),
    )
}


@dataclass(frozen=True, slots=True)
class Performance:
    """Latencies in milliseconds, of calls that came back with a text; None where there was none."""

    accepted: int = 0
    refused: int = 0
    failed: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int = 0
    cost_nanos: int = 0
    median_ms: float | None = None
    slow_ms: float | None = None  # one in twenty takes longer

    @property
    def calls(self) -> int:
        return self.accepted + self.refused + self.failed

    @property
    def error_percent(self) -> float:
        return _percent(self.failed, self.calls)

    @property
    def refused_percent(self) -> float:
        """Of the texts that came."""
        return _percent(self.refused, self.accepted + self.refused)

    @property
    def sent_tokens(self) -> int:
        return self.input_tokens + self.cached_tokens + self.cache_write_tokens

    @property
    def cached_percent(self) -> float:
        """Of all tokens that were sent."""
        return _percent(self.cached_tokens, self.sent_tokens)


def _percent(part: int, whole: int) -> float:
    return 100 * part / whole if whole else 0.0


@dataclass(frozen=True, slots=True)
class ModelTask:
    """One model at one task."""

    provider: str
    model_id: str
    task: str
    performance: Performance


@dataclass(frozen=True, slots=True)
class Step:
    begins: datetime
    performance: Performance


def figures() -> dict[str, Any]:
    """Aggregates over calls, named as the columns of Performance."""
    sums = ("input_tokens", "cached_tokens", "cache_write_tokens", "output_tokens", "cost_nanos")
    return {
        "accepted": Count("pk", Q(outcome=Outcome.ACCEPTED)),
        "refused": Count("pk", Q(outcome=Outcome.REFUSED)),
        "failed": Count("pk", Q(outcome__in=(Outcome.FAILED, Outcome.UNKNOWN))),
        "median_ms": Percentile("latency_ms", 0.5, filter=Q(outcome__in=WITH_A_TEXT)),
        "slow_ms": Percentile("latency_ms", 0.95, filter=Q(outcome__in=WITH_A_TEXT)),
        **{f"sum_{name}": Sum(name, default=0) for name in sums},
    }


def performance_of(row: Mapping[str, Any]) -> Performance:
    return Performance(**{name.removeprefix("sum_"): row[name] for name in figures()})


def finished_since(moment: datetime, **which: str) -> QuerySet[LlmCall]:
    return LlmCall.objects.across_workspaces().filter(finished_at__gte=moment, **which).order_by()


def by_model_and_task(calls: QuerySet[LlmCall]) -> list[ModelTask]:
    """The dearest first, then the most asked."""
    rows = [
        ModelTask(row["provider"], row["model_id"], row["task"], performance_of(row))
        for row in calls.values("provider", "model_id", "task").annotate(**figures())
    ]
    return sorted(rows, key=lambda row: (-row.performance.cost_nanos, -row.performance.calls, row.model_id, row.task))


def in_all(calls: QuerySet[LlmCall]) -> Performance:
    return performance_of(calls.aggregate(**figures()))


def by_step(calls: QuerySet[LlmCall], span: Span, start: datetime) -> list[Step]:
    """Every step of the span, those without a call too."""
    begins = Func(Value(span.step), F("finished_at"), Value(start), function="date_bin", output_field=DateTimeField())
    rows = calls.annotate(begins=begins).values("begins").annotate(**figures())
    known = {row["begins"]: performance_of(row) for row in rows}
    moments = (start + number * span.step for number in range(span.steps))
    return [Step(moment, known.get(moment, Performance())) for moment in moments]


def start_of(span: Span) -> datetime:
    return span.start(timezone.now())
