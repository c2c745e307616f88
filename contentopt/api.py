"""The API's routes, its one error shape and its document."""

from __future__ import annotations

from typing import Any

import structlog
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from contentopt.errors import DomainError

log = structlog.get_logger()

# DRF's words for what went wrong -> ours.
CODES = {
    "not_authenticated": "unauthenticated",
    "authentication_failed": "unauthenticated",
    "permission_denied": "forbidden",
    "parse_error": "malformed_json",
    "throttled": "rate_limited",
    "invalid": "invalid",
}


def error_body(code: str, message: str, details: Any = None) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "details": details or {}}}


def error_response(error: Exception, _context: dict[str, Any]) -> Response | None:
    """DRF's exception handler: every refusal in one shape, {"error": {code, message, details}}."""
    if isinstance(error, DomainError):
        headers = {"Retry-After": str(error.retry_after)} if error.retry_after else {}
        response = Response(error_body(error.code, error.message, error.details), error.status, headers=headers)
    elif isinstance(error, Http404):
        response = Response(error_body("not_found", "There is nothing here, or not in this workspace."), 404)
    elif isinstance(error, PermissionDenied):
        response = Response(error_body("forbidden", "This is not allowed."), 403)
    elif isinstance(error, exceptions.ValidationError):
        message = "Some fields are not right; `details` says which and why. Nothing was changed."
        response = Response(error_body("invalid", message, error.detail), 422)
    elif isinstance(error, exceptions.APIException):
        response = _from_drf(error)
    else:
        return None
    set_rollback()
    return response


def _from_drf(error: exceptions.APIException) -> Response:
    code = str(getattr(error.detail, "code", error.default_code))
    headers = {}
    if header := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = header
    return Response(error_body(CODES.get(code, code), str(error.detail)), error.status_code, headers=headers)


urlpatterns = [
    path("v1/", include("generation.api")),
    path("v1/openapi.json", SpectacularAPIView.as_view(), name="openapi"),
    path("docs/", SpectacularSwaggerSplitView.as_view(url_name="openapi"), name="api_docs"),
]
