"""What a workspace did in a week, read from the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Case, F, Min, Q, QuerySet, Sum, When
from django.db.models.functions import Now

from accounts.models import PLATFORM_WORKSPACE_ID, ApiKey, Budget, UsageEntry, Workspace
from accounts.notices import one_line, run_name
from accounts.quotas import QuotaUse, used_products

TOP = 3
# From six in the morning (UTC) on: whatever was under way at midnight is on the books by then.
_TELL_LAST_WEEK = """
WITH week AS (
    SELECT (monday - interval '7 days') AT TIME ZONE 'UTC' AS starts, monday AT TIME ZONE 'UTC' AS ends,
           to_char(monday - interval '7 days', '"week/"IYYY"-W"IW') AS topic
      FROM date_trunc('week', statement_timestamp() AT TIME ZONE 'UTC' - interval '6 hours') monday
)
INSERT INTO accounts_notice (id, workspace_id, kind, topic, details, state, attempt, failure)
SELECT gen_random_uuid(), workspace.id, 'week', topic, jsonb_build_object('starts', starts, 'ends', ends),
       'queued', 0, ''
  FROM accounts_workspace workspace CROSS JOIN week
 WHERE workspace.id <> %s
   AND EXISTS (SELECT FROM accounts_usageentry entry WHERE entry.workspace_id = workspace.id
                  AND entry.occurred_at >= starts AND entry.occurred_at < ends)
   AND NOT EXISTS (SELECT FROM accounts_notice told WHERE told.workspace_id = workspace.id
                      AND told.topic = week.topic)
ON CONFLICT DO NOTHING
"""


def tell_last_week() -> int:
    """Put last week's summary on the list of notices, for each workspace that did something. How many it were."""
    with connection.cursor() as cursor:
        cursor.execute(_TELL_LAST_WEEK, [PLATFORM_WORKSPACE_ID])
        return int(cursor.rowcount)


@dataclass(frozen=True, slots=True)
class Week:
    texts: int
    free: int
    spent_nanos: int
    saved_nanos: int
    by_layer: list[tuple[str, int]]
    top: list[tuple[str, int]]
    quota: QuotaUse
    budget: BudgetLeft | None


@dataclass(frozen=True, slots=True)
class BudgetLeft:
    limit_nanos: int
    spent_nanos: int

    @property
    def left_nanos(self) -> int:
        return max(self.limit_nanos - self.spent_nanos, 0)


def summarise(workspace: Workspace, starts: datetime, ends: datetime) -> Week:
    entries = UsageEntry.objects.in_workspace(workspace).filter(occurred_at__gte=starts, occurred_at__lt=ends)
    totals = entries.aggregate(
        texts=Sum("answers", default=0),
        free=Sum("answers", filter=Q(basis=UsageEntry.Basis.FREE), default=0),
        spent_nanos=Sum("cost_nanos", default=0),
        saved_nanos=Sum("saved_nanos", default=0),
    )
    layers = entries.order_by().values("source").annotate(texts=Sum("answers")).filter(texts__gt=0).order_by("-texts")
    return Week(
        **totals,
        by_layer=[(row["source"], row["texts"]) for row in layers],
        top=_top(workspace, entries),
        quota=used_products(workspace),
        budget=_budget_left(workspace),
    )


def _top(workspace: Workspace, entries: QuerySet[UsageEntry]) -> list[tuple[str, int]]:
    """The runs and keys that cost most. What a key's run costs counts as the run's."""
    key_id = Case(When(run_id=None, then=F("api_key_id")))
    groups = entries.exclude(run_id=None, api_key_id=None).order_by().values("run_id", key_id=key_id)
    costs = groups.annotate(cost=Sum("cost_nanos"), began=Min("occurred_at")).filter(cost__gt=0).order_by("-cost")
    rows = list(costs[:TOP])
    names = dict(ApiKey.objects.in_workspace(workspace).filter(pk__in=_keys(rows)).values_list("pk", "name"))
    return [(run_name(row["began"]) if row["run_id"] else _key_name(names, row["key_id"]), row["cost"]) for row in rows]


def _keys(rows: list[Any]) -> list[UUID]:
    return [row["key_id"] for row in rows if row["key_id"]]


def _key_name(names: dict[UUID, str], key_id: UUID) -> str:
    return f"the API key “{one_line(names[key_id])}”" if key_id in names else "an API key that is deleted by now"


def _budget_left(workspace: Workspace) -> BudgetLeft | None:
    """None without a limit. A month in which nothing was asked for yet has no budget row."""
    caps = [cap for cap in (workspace.spend_cap_nanos, workspace.plan.spend_cap_nanos) if cap is not None]
    if not caps:
        return None
    budgets = Budget.objects.in_workspace(workspace).filter(scope=Budget.Scope.WORKSPACE, period_end__gt=Now())
    return BudgetLeft(min(caps), budgets.aggregate(spent=Sum("spent_nanos", default=0))["spent"])
