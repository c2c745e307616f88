from __future__ import annotations

import uuid
from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from contentopt.errors import DomainError

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
