from __future__ import annotations

from typing import Any

from allauth.usersessions.models import UserSession
from django import template

from accounts.devices import device_name

register = template.Library()


@register.filter
def device(user_agent: str) -> str:
    return device_name(user_agent)


@register.inclusion_tag("usersessions/others.html", takes_context=True)
def other_sessions(context: dict[str, Any]) -> dict[str, Any]:
    """The offer to sign out everywhere else, for pages on which one changes how one signs in."""
    sessions = UserSession.objects.purge_and_list(context["request"].user)
    others = [session for session in sessions if not session.is_current()]
    return {"count": len(others), "csrf_token": context.get("csrf_token")}
