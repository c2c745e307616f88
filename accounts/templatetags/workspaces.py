from __future__ import annotations

from typing import Any

from django import template

from accounts.services.workspaces import workspaces_of

register = template.Library()


@register.inclusion_tag("partials/switcher.html", takes_context=True)
def workspace_switcher(context: dict[str, Any]) -> dict[str, Any]:
    request = context["request"]
    is_member = request.user.is_authenticated
    return {"here": request.workspace, "workspaces": workspaces_of(request.user) if is_member else []}
