"""Prometheus metrics, read from the database as they are asked for: whichever process answers says the same.

Counters count from midnight UTC and begin anew then, which Prometheus takes for a restart. So a scrape reads a day of
calls at most.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, time
from typing import Any

from django.apps import apps
from django.db.models import Count, Min, Q, Sum
from django.db.models.functions import Now
from django.utils import timezone
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from accounts.dollars import NANOS_PER_DOLLAR
from accounts.models import Reconciliation
from accounts.services.spending import open_holds, platform_today
from contentopt.jobs import Job, JobState
from contentopt.tenancy import across_workspaces
from generation.health import down_models
from generation.models import LlmModel
from generation.services.performance import WITH_A_TEXT, finished_since

Row = dict[str, Any]
LATENCIES = (0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 60.0)  # seconds
TOKENS = ("input", "cached", "cache_write", "output")
MODEL = ("provider", "model_id")
CONTENT_TYPE = CONTENT_TYPE_LATEST


@across_workspaces()
def exposition() -> bytes:
    """Everything, in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(_Models())
    registry.register(_Work())
    return generate_latest(registry)


def _usd(nanos: int) -> float:
    return nanos / NANOS_PER_DOLLAR


def _midnight() -> datetime:
    return datetime.combine(timezone.now().date(), time.min, timezone.get_default_timezone())


class _Models(Collector):
    """What models were asked and how they answered."""

    def collect(self) -> Iterable[Metric]:
        rows = _ended_today()
        yield from _calls(rows)
        yield from _amounts(rows)
        yield _latencies([row for row in rows if row["outcome"] in WITH_A_TEXT])
        yield _circuits()


def _ended_today() -> list[Row]:
    """One reading of the day's calls; the metrics are sums of its few rows."""
    within = {f"within_{seconds}": Count("pk", Q(latency_ms__lte=seconds * 1_000)) for seconds in LATENCIES}
    sums = {
        f"sum_{column}": Sum(column) for column in ("cost_nanos", "latency_ms", *(f"{kind}_tokens" for kind in TOKENS))
    }
    groups = finished_since(_midnight()).values(*MODEL, "task", "outcome", "error_kind")
    return list(groups.annotate(count=Count("pk"), **sums, **within))


def _summed(rows: Iterable[Row], labels: Sequence[str], column: str) -> dict[tuple[str, ...], int]:
    sums: Counter[tuple[str, ...]] = Counter()
    for row in rows:
        sums[tuple(row[label] for label in labels)] += row[column]
    return sums


def _calls(rows: Sequence[Row]) -> Iterator[Metric]:
    labels = (*MODEL, "task", "outcome")
    counted = CounterMetricFamily("contentopt_model_calls", "Calls that ended.", labels=labels)
    for values, count in _summed(rows, labels, "count").items():
        counted.add_metric(values, count)
    yield counted
    failed = CounterMetricFamily("contentopt_model_errors", "Calls that failed, by kind.", labels=(*MODEL, "kind"))
    for values, count in _summed((row for row in rows if row["error_kind"]), (*MODEL, "error_kind"), "count").items():
        failed.add_metric(values, count)
    yield failed


def _amounts(rows: Sequence[Row]) -> Iterator[Metric]:
    tokens = CounterMetricFamily("contentopt_model_tokens", "Tokens billed.", labels=(*MODEL, "kind"))
    for kind in TOKENS:
        for values, count in _summed(rows, MODEL, f"sum_{kind}_tokens").items():
            tokens.add_metric((*values, kind), count)
    yield tokens
    cost = CounterMetricFamily("contentopt_model_cost_usd", "Dollars billed.", labels=MODEL)
    for values, nanos in _summed(rows, MODEL, "sum_cost_nanos").items():
        cost.add_metric(values, _usd(nanos))
    yield cost


def _latencies(rows: Sequence[Row]) -> Metric:
    found = HistogramMetricFamily(
        "contentopt_model_latency_seconds", "From request to text, of calls that brought one.", labels=MODEL
    )
    buckets = {seconds: _summed(rows, MODEL, f"within_{seconds}") for seconds in LATENCIES}
    counts, total_ms = _summed(rows, MODEL, "count"), _summed(rows, MODEL, "sum_latency_ms")
    for values, count in counts.items():
        within = [(str(seconds), bucket[values]) for seconds, bucket in buckets.items()]
        found.add_metric(values, [*within, ("+Inf", count)], total_ms[values] / 1_000)
    return found


def _circuits() -> Metric:
    """Of every model that is switched on, so that an alarm can tell 0 from nothing heard."""
    found = GaugeMetricFamily("contentopt_circuit_open", "1 while a model is left alone to recover.", labels=MODEL)
    down = down_models()
    models = LlmModel.objects.filter(is_enabled=True, provider__is_enabled=True).order_by("pk")
    for provider, model_id in models.values_list("provider", "model_id"):
        found.add_metric((provider, model_id), int(f"{provider}/{model_id}" in down))
    return found


class _Work(Collector):
    """What waits, what is held, and what has stopped."""

    def collect(self) -> Iterable[Metric]:
        yield from _waiting()
        yield from _money()


def _waiting() -> Iterator[Metric]:
    waiting = GaugeMetricFamily("contentopt_jobs_waiting", "Jobs that no worker has begun.", labels=("kind",))
    oldest = GaugeMetricFamily("contentopt_oldest_job_seconds", "How long the oldest has waited.", labels=("kind",))
    for model in (model for model in apps.get_models() if issubclass(model, Job)):
        kind = str(model._meta.model_name)
        queued = model._base_manager.filter(state=JobState.QUEUED)
        found = queued.aggregate(count=Count("pk"), age=Now() - Min("created_at"))
        waiting.add_metric((kind,), found["count"])
        oldest.add_metric((kind,), found["age"].total_seconds() if found["age"] else 0)
    yield waiting
    yield oldest


def _money() -> Iterator[Metric]:
    holds, today = open_holds(), platform_today()
    last = Reconciliation.objects.first()
    gauges = {
        "contentopt_holds_open": ("Holds that are not settled.", holds.count),
        "contentopt_holds_open_usd": ("Dollars in them.", _usd(holds.amount_nanos)),
        "contentopt_holds_expired": ("Of them, those that nobody came back for.", holds.expired),
        "contentopt_spending_stopped": ("1 while staff have stopped paid calls.", int(today.is_stopped)),
        "contentopt_spent_today_usd": ("Spent by everyone today (UTC).", _usd(today.spent_nanos)),
        "contentopt_book_differences": ("Between ledger, budgets and calls.", len(last.differences) if last else 0),
    }
    for name, (words, value) in gauges.items():
        yield GaugeMetricFamily(name, words, value)
