from __future__ import annotations

from typing import Any

from django import template

from accounts.models import Scope
from accounts.notices import shown_alert
from accounts.permissions import ROLE_SCOPES

register = template.Library()


@register.inclusion_tag("partials/alert_banner.html", takes_context=True)
def alert_banner(context: dict[str, Any]) -> dict[str, Any]:
    """The alert that every page of a workspace shows; pages outside of one ask for nothing."""
    request = context["request"]
    if not request.workspace:
        return {}
    rights = ROLE_SCOPES[request.membership.role]
    return {
        "alert": shown_alert(request.workspace, request.membership),
        "workspace": request.workspace,
        "may_close": Scope.WRITE in rights,
        "may_choose_plan": Scope.BILLING in rights,
        "csrf_token": context.get("csrf_token"),
    }
