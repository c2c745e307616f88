from __future__ import annotations

from django.http import HttpRequest

from accounts.permissions import ROLE_SCOPES


def permissions(request: HttpRequest) -> dict[str, frozenset[str]]:
    """`may`: the scopes of one's role in the page's workspace, so that templates offer what will be let through."""
    membership = getattr(request, "membership", None)
    return {"may": ROLE_SCOPES[membership.role] if membership else frozenset()}
