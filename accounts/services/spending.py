"""What the platform as a whole spends today, and the switch that stops it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import structlog
from django.db import transaction
from django.db.models import Count, Q, Sum
from django.db.models.functions import Now

from accounts import budgets
from accounts.audit import record
from accounts.models import PLATFORM_WORKSPACE_ID, Action, Budget, Platform, Reservation

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class PlatformDay:
    """Today (UTC). `limit_nanos` is what staff allow a day, stopped or not; None is no limit."""

    is_stopped: bool
    reason: str
    limit_nanos: int | None
    spent_nanos: int
    held_nanos: int
    changed_at: datetime

    @property
    def percent_used(self) -> int | None:
        used = self.spent_nanos + self.held_nanos
        return min(100 * used // self.limit_nanos, 100) if self.limit_nanos else None


@dataclass(frozen=True, slots=True)
class OpenHolds:
    count: int
    amount_nanos: int
    expired: int  # nobody came back for them; the clock ends them within a minute


def platform_today() -> PlatformDay:
    platform = Platform.objects.get()
    today = (
        Budget.objects.in_workspace(PLATFORM_WORKSPACE_ID)
        .filter(scope=Budget.Scope.PLATFORM, period_start__lte=Now(), period_end__gt=Now())
        .first()
    )
    return PlatformDay(
        is_stopped=platform.is_stopped,
        reason=platform.reason,
        limit_nanos=platform.day_limit_nanos,
        spent_nanos=today.spent_nanos if today else 0,
        held_nanos=today.reserved_nanos if today else 0,
        changed_at=platform.updated_at,
    )


def open_holds() -> OpenHolds:
    holds = Reservation.objects.across_workspaces().filter(state__in=Reservation.OPEN)
    found = holds.aggregate(n=Count("pk"), amount=Sum("amount_nanos"), expired=Count("pk", Q(expires_at__lt=Now())))
    return OpenHolds(found["n"], found["amount"] or 0, found["expired"])


def overdrafts() -> list[Budget]:
    """Current budgets on which more is spent or held than is allowed, the worst first."""
    current = Budget.objects.across_workspaces().filter(Q(period_end=None) | Q(period_end__gt=Now()))
    return list(current.filter(overdraft_nanos__gt=0).select_related("workspace").order_by("-overdraft_nanos")[:20])


def stop_spending(*, reason: str, by: str) -> None:
    """From now on no paid call is admitted; what is on its way still ends and is paid. Free answers go on."""
    with transaction.atomic():
        _switch(is_stopped=True, reason=reason)
        record(Action.SPENDING_STOPPED, workspace=PLATFORM_WORKSPACE_ID, reason=reason)
    log.warning("spending_stopped", reason=reason, by=by)


def resume_spending(*, by: str) -> None:
    with transaction.atomic():
        _switch(is_stopped=False, reason="")
        record(Action.SPENDING_RESUMED, workspace=PLATFORM_WORKSPACE_ID)
    log.warning("spending_resumed", by=by)


def _switch(*, is_stopped: bool, reason: str) -> None:
    Platform.objects.update(is_stopped=is_stopped, reason=reason, updated_at=Now())
    apply_platform_limits()


def apply_platform_limits() -> None:
    budgets.apply_limits(PLATFORM_WORKSPACE_ID)
