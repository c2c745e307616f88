"""Who may do what: one table of scopes for pages (by role) and the API (by key)."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.http.response import HttpResponseBase
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from accounts.middleware import WorkspaceRequest
from accounts.models import Role, Scope
from contentopt.errors import NotAllowed

ROLE_SCOPES: dict[str, frozenset[str]] = {
    Role.VIEWER: frozenset({Scope.READ}),
    Role.EDITOR: frozenset({Scope.READ, Scope.WRITE}),
    Role.ADMIN: frozenset({Scope.READ, Scope.WRITE, Scope.ADMIN}),
    Role.OWNER: frozenset(Scope.values),
}

P = ParamSpec("P")
View = Callable[Concatenate[WorkspaceRequest, P], HttpResponseBase]


def require_scope(scope: str) -> Callable[[View[P]], View[P]]:
    """For a page under /w/<slug>/: the member's role must carry the scope."""

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(request: WorkspaceRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if scope not in ROLE_SCOPES[request.membership.role]:
                raise NotAllowed(
                    f"Your role in {request.workspace} is {request.membership.get_role_display().lower()}, "
                    "which cannot do this. Ask an owner or admin of the workspace."
                )
            return view(request, *args, **kwargs)

        guarded.required_scope = scope  # type: ignore[attr-defined]
        return guarded

    return decorate


class HasScope(BasePermission):
    """Reads need `read`, everything else `write`, unless the view says otherwise in `required_scope`."""

    def has_permission(self, request: Request, view: object) -> bool:
        key: Any = request.auth
        if key is None:
            return False
        default = Scope.READ if request.method in SAFE_METHODS else Scope.WRITE
        needed = getattr(view, "required_scope", default)
        self.message = f"This API key lacks the scope “{needed}”."
        return needed in key.scopes
