"""Who may do what: one table of scopes for pages (by role) and the API (by key or role)."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from accounts.middleware import WorkspaceRequest
from accounts.models import ApiKey, Membership, Role, Scope, Standing, Workspace
from contentopt.errors import NotAllowed

ROLE_SCOPES: dict[str, frozenset[str]] = {
    Role.VIEWER: frozenset({Scope.READ}),
    Role.EDITOR: frozenset({Scope.READ, Scope.WRITE}),
    Role.ADMIN: frozenset({Scope.READ, Scope.WRITE, Scope.APPROVE, Scope.ADMIN, Scope.WEBHOOKS}),
    Role.OWNER: frozenset(Scope.values),
}

# Whom a role may invite, give another role, and remove. Owners are made by owners, who give the workspace to an admin.
MANAGED_ROLES: dict[str, frozenset[str]] = {
    Role.VIEWER: frozenset(),
    Role.EDITOR: frozenset(),
    Role.ADMIN: frozenset({Role.ADMIN, Role.EDITOR, Role.VIEWER}),
    Role.OWNER: frozenset(Role.values),
}

# What the People page says of each role.
ROLE_WORDS: dict[str, str] = {
    Role.VIEWER: "Reads everything, changes nothing.",
    Role.EDITOR: "Imports, writes, edits and exports.",
    Role.ADMIN: "All that, and sees to people and API keys.",
    Role.OWNER: "All that, and sees to the plan, caps and payment.",
}

# What a workspace that is read-only for an overdue payment may not do; paying is what it may.
CHANGES = frozenset({Scope.WRITE, Scope.APPROVE, Scope.ADMIN, Scope.WEBHOOKS})


class ReadOnly(NotAllowed):
    code = "payment_owed"
    status = 402


F = TypeVar("F", bound=Callable[..., Any])


class Closing(NotAllowed):
    code = "workspace_closing"


def open_while_closing(view: F) -> F:
    """For a page that works in a workspace that is being deleted: what takes data out, or the deletion back."""
    view.open_while_closing = True  # type: ignore[attr-defined]
    return view


def check_closing(workspace: Workspace, method: str | None, view: object) -> None:
    """Until it is gone, a workspace that is being deleted can be read, exported and restored, and nothing more."""
    if workspace.closes_at and method not in SAFE_METHODS and not getattr(view, "open_while_closing", False):
        raise Closing(
            f"This workspace is being deleted, so nothing in it can be changed. Until {workspace.closes_at:%-d %B %Y} "
            "everything can be read and downloaded, and an owner can restore it."
        )


def check_standing(workspace: Workspace, scope: str, method: str | None) -> None:
    if workspace.standing == Standing.READ_ONLY and scope in CHANGES and method not in SAFE_METHODS:
        raise ReadOnly(
            "This workspace is read-only because a payment is more than a week overdue. Nothing is lost: everything "
            "can be read and exported. An owner can pay on the plan page, and it goes on at once."
        )


def scopes_of(caller: ApiKey | Membership) -> Collection[str]:
    return caller.scopes if isinstance(caller, ApiKey) else ROLE_SCOPES[caller.role]


def check_impersonation(request: HttpRequest, scope: str) -> None:
    """Who sees the product as somebody else may work on texts as an editor does, and look at the rest. What needs no
    right to write, such as leaving or choosing one's mails, is the person's own affair."""
    if scope != Scope.WRITE and request.method not in SAFE_METHODS and getattr(request, "impersonation", None):
        raise NotAllowed(
            f"You see this as {request.user}. In somebody else's name texts, imports and runs can be changed, and "
            "nothing else: no keys, members, plan, payment or settings of theirs. Nothing was changed."
        )


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
            check_impersonation(request, scope)
            check_closing(request.workspace, request.method, view)
            check_standing(request.workspace, scope, request.method)
            return view(request, *args, **kwargs)

        guarded.required_scope = scope  # type: ignore[attr-defined]
        return guarded

    return decorate


class HasScope(BasePermission):
    """Reads need `read`, everything else `write`, unless the view says otherwise in `required_scope`. A view that can
    answer free of charge says so in `answers_known_texts`, and is open to a workspace that owes a payment."""

    def has_permission(self, request: Request, view: object) -> bool:
        caller: Any = request.auth
        if caller is None:
            return False
        default = Scope.READ if request.method in SAFE_METHODS else Scope.WRITE
        needed = getattr(view, "required_scope", default)
        who = "API key" if isinstance(caller, ApiKey) else "person's role"
        self.message = f"This {who} lacks the scope “{needed}”."
        has_scope = needed in scopes_of(caller)
        if has_scope:
            check_closing(caller.workspace, request.method, view)
        if has_scope and not getattr(view, "answers_known_texts", False):
            check_standing(caller.workspace, needed, request.method)
        return has_scope
