"""The one exception that surfaces translate into a page, an htmx fragment or the API's error shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def error_body(code: str, message: str, details: Any = None) -> dict[str, Any]:
    """The API's one error shape."""
    return {"error": {"code": code, "message": message, "details": details or {}}}


class DomainError(Exception):
    """A refusal a person can act on: what happened, what was kept, what to do.

    `code` is stable and machine-readable, `message` is plain English, `details` is JSON-able.
    """

    code = "invalid"
    status = 422

    def __init__(
        self,
        message: str,
        *,
        code: str = "",
        status: int = 0,
        details: Mapping[str, object] | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.code
        self.status = status or self.status
        self.details = dict(details or {})
        self.retry_after = retry_after

    def to_json(self) -> dict[str, Any]:
        """What `DomainError(**…)` makes the same refusal from."""
        return {name: getattr(self, name) for name in ("message", "code", "status", "details", "retry_after")}


class NotAllowed(DomainError):
    code = "forbidden"
    status = 403


class Conflict(DomainError):
    code = "conflict"
    status = 409


class RateLimited(DomainError):
    code = "rate_limited"
    status = 429
