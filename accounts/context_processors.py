from __future__ import annotations

from django.http import HttpRequest

from accounts.models import Scope
from accounts.permissions import ROLE_SCOPES

WORK = frozenset({Scope.WRITE, Scope.APPROVE})


def permissions(request: HttpRequest) -> dict[str, frozenset[str]]:
    """`may`: the scopes of one's role in the page's workspace, so that templates offer what will be let through.

    One that is being deleted offers no work that it would refuse.
    """
    membership = getattr(request, "membership", None)
    if membership is None:
        return {"may": frozenset()}
    refused = WORK if membership.workspace.closes_at else frozenset()
    return {"may": ROLE_SCOPES[membership.role] - refused}
