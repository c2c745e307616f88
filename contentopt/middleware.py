from __future__ import annotations

import functools
import uuid
from collections.abc import Callable
from typing import Any

import structlog
from csp.constants import HEADER
from csp.middleware import CSPMiddleware
from csp.utils import build_policy
from django.conf import settings
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from contentopt.errors import DomainError
from contentopt.tenancy import outside_workspaces, staying

GetResponse = Callable[[HttpRequest], HttpResponse]


class RequestIdMiddleware:
    """Gives every request an id that its log lines, its reply and its error page share."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = uuid.uuid4().hex[:16]
        request.META["contentopt.request_id"] = request_id
        structlog.contextvars.bind_contextvars(request_id=request_id)
        try:
            response = self.get_response(request)
        finally:
            structlog.contextvars.unbind_contextvars("request_id")
        response["X-Request-Id"] = request_id
        return response


class UnstoredMiddleware:
    """Pages differ by who is signed in; unless a view says otherwise, no browser or proxy keeps one."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Cache-Control", "no-store")
        return response


class OutsideMiddleware:
    """A request begins outside of all workspaces, and leaves the one it entered when it ends.

    What a view returns to be read later (a download) is read in the workspace that the view was in.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with outside_workspaces():
            response: Any = self.get_response(request)
            if response.streaming and not isinstance(response, FileResponse):
                response.streaming_content = staying(response.streaming_content)
            return response  # type: ignore[no-any-return]


class SitePolicyMiddleware(CSPMiddleware):
    """The site's Content-Security-Policy, put together once: for each reply it would be a tenth of a known text's time.

    Replies of views that change it, and of those that have none, are left to django-csp. Nonces are not used.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        is_own = any(name.startswith("_csp") for name in vars(response))
        excluded = tuple(settings.CONTENT_SECURITY_POLICY["EXCLUDE_URL_PREFIXES"])
        if is_own or (settings.DEBUG and response.status_code >= 400) or request.path_info.startswith(excluded):
            left: HttpResponseBase = super().process_response(request, response)
            return left
        response.headers.setdefault(HEADER, _site_policy())
        return response


@functools.cache
def _site_policy() -> str:
    policy: str = build_policy()
    return policy


class DomainErrorMiddleware:
    """A refusal becomes a page that explains it, or for htmx a message in place."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, DomainError):
            return None
        is_htmx = request.headers.get("HX-Request") == "true"
        template = "partials/error.html" if is_htmx else "error.html"
        # htmx swaps only successful replies by default; base.js lets replies marked like this through.
        response = render(request, template, {"error": exception}, status=exception.status)
        if is_htmx:
            response["HX-Retarget"] = "#messages"
            response["HX-Reswap"] = "afterbegin"
        if exception.retry_after:
            response["Retry-After"] = str(exception.retry_after)
        return response
