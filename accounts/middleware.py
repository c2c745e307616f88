from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import structlog
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django_htmx.middleware import HtmxDetails

from accounts.impersonation import current_impersonation
from accounts.models import Impersonation, Membership, User, Workspace
from contentopt.errors import NotAllowed
from contentopt.tenancy import enter, enter_all

log = structlog.get_logger()

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
GetResponse = Callable[[HttpRequest], HttpResponse]


class WorkspaceRequest(HttpRequest):
    """A signed-in member's request to a page under /w/<slug>/."""

    user: User
    htmx: HtmxDetails
    workspace: Workspace
    membership: Membership
    impersonation: Impersonation | None


class ImpersonationMiddleware:
    """While staff see the product as somebody else, `request.user` is that person, and `request.impersonation` says so
    to the banner, the log and whoever asks who it really was."""

    # How one signs in, and whom one may be: nobody's business but the person's own.
    PRIVATE = ("account_", "mfa_", "usersessions_")

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        impersonation = current_impersonation(request)
        request.impersonation = impersonation  # type: ignore[attr-defined]
        if impersonation is None:
            return self.get_response(request)
        request.user = impersonation.user
        marks = {"impersonation": str(impersonation.pk), "staff": str(impersonation.staff_id)}
        with structlog.contextvars.bound_contextvars(**marks):
            response = self.get_response(request)
            log.info("impersonated", method=request.method, path=request.path, status=response.status_code)
        return response

    def process_view(self, request: HttpRequest, view: Any, _args: Any, _kwargs: Any) -> HttpResponse | None:
        """Pages of a workspace are left to `accounts.permissions`. Of the rest nothing may be changed, fail-closed."""
        if getattr(request, "impersonation", None) is None or hasattr(view, "required_scope"):
            return None
        name = (request.resolver_match and request.resolver_match.url_name) or ""
        is_private = name.startswith(self.PRIVATE)
        if name == "impersonation_stop" or (request.method in SAFE_METHODS and not is_private):
            return None
        error = NotAllowed(
            f"You see this as {request.user}. What concerns the account itself is that person's own; stop first. "
            "Nothing was changed."
        )
        return render(request, "error.html", {"error": error}, status=error.status)


class StaffFactorMiddleware:
    """Staff pages show every shop's rows, so a password alone does not open them: without a second factor one is led to
    set it up. Who has one was asked for it at sign-in."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        if (
            settings.STAFF_NEED_SECOND_FACTOR
            and request.path.startswith(reverse("admin:index"))
            and user.is_authenticated
            and user.is_staff
            and not is_mfa_enabled(user, [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN])
        ):
            messages.warning(request, "Staff pages need a second factor. Set one up here, then go on.")
            return redirect("mfa_index")
        return self.get_response(request)


class SteadyRepliesMiddleware:
    """Where known and unknown addresses get the same reply, it comes in whole steps of time: what there is to do
    differs by milliseconds, and those would tell. Only for what was done, so that what is refused costs nothing."""

    NAMES = ("account_signup", "account_reset_password")

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = time.monotonic()
        response = self.get_response(request)
        match = request.resolver_match
        step = settings.STEADY_REPLY_SECONDS
        if step and request.method == "POST" and match and match.url_name in self.NAMES and response.status_code == 302:
            time.sleep(step - (time.monotonic() - began) % step)
        return response


class WorkspaceMiddleware:
    """Sets `request.workspace` and `request.membership` from the URL; a stranger gets the same 404 as for a slug that
    does not exist, so that nothing tells which workspaces there are."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.workspace = request.membership = None  # type: ignore[attr-defined]
        return self.get_response(request)

    def process_view(self, request: HttpRequest, _view: Any, _args: Any, kwargs: dict[str, Any]) -> None:
        if request.path.startswith("/staff/") and request.user.is_staff:
            enter_all()
        slug = kwargs.get("slug")
        if slug is None or not request.path.startswith("/w/") or not request.user.is_authenticated:
            return
        membership = (
            Membership.objects.across_workspaces()
            .filter(user=request.user, workspace__slug=slug)
            .select_related("workspace__plan")
            .first()
        )
        if membership is None:
            raise Http404
        request.workspace, request.membership = membership.workspace, membership  # type: ignore[attr-defined]
        is_own = getattr(request, "impersonation", None) is None
        if is_own and request.user.last_workspace_id != membership.workspace_id:
            User.objects.filter(pk=request.user.pk).update(last_workspace=membership.workspace)
        enter(membership.workspace_id)
