from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django_htmx.middleware import HtmxDetails

from accounts.models import Membership, User, Workspace
from contentopt.tenancy import enter, enter_all


class WorkspaceRequest(HttpRequest):
    """A signed-in member's request to a page under /w/<slug>/."""

    user: User
    htmx: HtmxDetails
    workspace: Workspace
    membership: Membership


class WorkspaceMiddleware:
    """Sets `request.workspace` and `request.membership` from the URL; a stranger gets the same 404 as for a slug that
    does not exist, so that nothing tells which workspaces there are."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
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
        enter(membership.workspace_id)
