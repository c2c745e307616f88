"""The API's routes, its one error shape and its document."""

from __future__ import annotations

from typing import Any

from csp.constants import SELF, UNSAFE_INLINE
from csp.decorators import csp_update
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpRequest, JsonResponse
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.decorators.cache import cache_control
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerSplitView
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from contentopt.errors import DomainError, error_body

# DRF's words for what went wrong -> ours.
CODES = {
    "not_authenticated": "unauthenticated",
    "authentication_failed": "unauthenticated",
    "permission_denied": "forbidden",
    "parse_error": "malformed_body",
    "throttled": "rate_limited",
}
USUAL_WAIT_SECONDS = 5  # where a refusal does not say it
MESSAGES = {
    "not_authenticated": "Send an API key of the workspace as “Authorization: Bearer <api key>”.",
}


def error_response(error: Exception, _context: dict[str, Any]) -> Response | None:
    """DRF's exception handler: every refusal in one shape, {"error": {code, message, details}}."""
    if isinstance(error, DomainError):
        response = _from_domain(error)
    elif isinstance(error, Http404):
        response = Response(error_body("not_found", "There is nothing here, or not in this workspace."), 404)
    elif isinstance(error, PermissionDenied):
        response = Response(error_body("forbidden", "This is not allowed."), 403)
    elif isinstance(error, RequestDataTooBig):
        response = Response(error_body("too_large", "The form fields of the body are too large."), 413)
    elif isinstance(error, SuspiciousOperation):  # such as a form of thousands of fields
        response = Response(error_body("malformed_body", f"The body was refused: {error}"), 400)
    elif isinstance(error, exceptions.APIException):
        response = _from_drf(error)
    else:
        return None
    set_rollback()
    return response


def _from_domain(error: DomainError) -> Response:
    wait = error.retry_after or (USUAL_WAIT_SECONDS if error.status in (429, 503) else 0)
    headers = {"Retry-After": str(wait)} if wait else {}
    return Response(error_body(error.code, error.message, error.details), error.status, headers=headers)


def _from_drf(error: exceptions.APIException) -> Response:
    if isinstance(error, exceptions.ValidationError):
        message = "Some fields are not right; `details` says which and why. Nothing was changed."
        return Response(error_body("invalid", message, error.detail), 422)
    code = str(getattr(error.detail, "code", error.default_code))
    headers = {}
    if header := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = header
    body = error_body(CODES.get(code, code), MESSAGES.get(code, str(error.detail)))
    return Response(body, error.status_code, headers=headers)


@csrf_exempt
@login_not_required
def unknown(_request: HttpRequest) -> JsonResponse:
    """Whatever is no address of the API says so in the API's own shape."""
    return JsonResponse(error_body("not_found", "There is no such address in the API."), status=404)


openapi = cache_control(public=True, max_age=300)(SpectacularJSONAPIView.as_view())
# Swagger UI sets styles from script; nothing else of the site's policy is loosened for it.
docs = csp_update({"style-src": [SELF, UNSAFE_INLINE]})(SpectacularSwaggerSplitView.as_view(url_name="openapi"))

urlpatterns: list[URLPattern | URLResolver] = [
    path("v1/", include("generation.api")),
    path("v1/openapi.json", openapi, name="openapi"),
    path("docs/", docs, name="api_docs"),
    re_path("", unknown),  # any characters at all: a path converter stops at the end of a line
]
