from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta

from django.db.models import Count, Q, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from accounts.models import Workspace
from generation.models import LlmCall, Text

FREE = Q(source__in=(Text.Source.EXACT, Text.Source.COALESCED))
WRITTEN = FREE | Q(source=Text.Source.MODEL)


@dataclass(slots=True)
class Day:
    date: date
    texts: int = 0
    free: int = 0
    calls: int = 0
    cost_nanos: int = 0


@dataclass(frozen=True, slots=True)
class WorkspaceUsage:
    """Every day of the span is there, also those without work, so that it can be drawn."""

    days: int
    by_day: list[Day] = field(default_factory=list)

    @property
    def texts(self) -> int:
        return sum(day.texts for day in self.by_day)

    @property
    def free(self) -> int:
        return sum(day.free for day in self.by_day)

    @property
    def calls(self) -> int:
        return sum(day.calls for day in self.by_day)

    @property
    def cost_nanos(self) -> int:
        return sum(day.cost_nanos for day in self.by_day)


def usage_since(workspace: Workspace, *, days: int) -> WorkspaceUsage:
    today = timezone.now().date()
    first = today - timedelta(days=days - 1)
    by_date = {first + timedelta(days=n): Day(first + timedelta(days=n)) for n in range(days)}
    texts = Text.objects.in_workspace(workspace).filter(WRITTEN, created_at__date__gte=first)
    for row in texts.values(day=TruncDate("created_at")).annotate(n=Count("pk"), free=Count("pk", FREE)).order_by():
        by_date[row["day"]].texts, by_date[row["day"]].free = row["n"], row["free"]
    calls = LlmCall.objects.in_workspace(workspace).filter(created_at__date__gte=first)
    for spent in calls.values(day=TruncDate("created_at")).annotate(n=Count("pk"), cost=Sum("cost_nanos")).order_by():
        by_date[spent["day"]].calls, by_date[spent["day"]].cost_nanos = spent["n"], spent["cost"]
    return WorkspaceUsage(days, list(by_date.values()))
