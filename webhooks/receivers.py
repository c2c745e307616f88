"""What accounts announces, which knows nothing of webhooks."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from accounts.dollars import decimal_usd
from accounts.models import Notice, Workspace
from accounts.signals import alert_raised, plan_changed
from webhooks.announcing import announce
from webhooks.events import BUDGET_THRESHOLD, PLAN_CHANGED


@receiver(plan_changed)
def announce_plan(workspace: Workspace, previous_plan: str, **_kwargs: Any) -> None:
    def describe() -> dict[str, Any]:
        return {"plan": workspace.plan_id, "previous_plan": previous_plan, "standing": workspace.standing}

    announce(workspace.pk, PLAN_CHANGED, describe)


@receiver(alert_raised)
def announce_threshold(notice: Notice, **_kwargs: Any) -> None:
    """Thresholds are found inside of the database; their notices are what is left of it. Each is announced once."""
    announce(notice.workspace_id, BUDGET_THRESHOLD, lambda: _threshold(notice), key=notice.topic)


def _threshold(notice: Notice) -> dict[str, Any]:
    figures = notice.details
    is_quota = notice.kind == Notice.Kind.QUOTA
    return {
        "scope": "quota" if is_quota else figures["scope"],
        "scope_id": None if is_quota else figures["scope_id"],
        "percent": figures["percent"],
        "used": figures["used"] if is_quota else decimal_usd(figures["spent_nanos"]),
        "limit": figures["limit"] if is_quota else decimal_usd(figures["limit_nanos"]),
        "resets_at": figures.get("resets_at"),
    }
