from __future__ import annotations

from typing import Any


class ApiError(Exception):
    """A refusal in Stripe's own shape."""

    status = 400
    type = "invalid_request_error"

    def __init__(self, message: str, *, code: str = "", param: str = "", status: int = 0, **extra: Any) -> None:
        super().__init__(message)
        self.status = status or self.status
        named = {"code": code, "param": param}
        self.body = {"type": self.type, "message": message, **{k: v for k, v in named.items() if v}, **extra}


class NotFound(ApiError):
    status = 404

    def __init__(self, kind: str, identifier: str, param: str = "id") -> None:
        super().__init__(f"No such {kind}: '{identifier}'", code="resource_missing", param=param)


class CardDeclined(ApiError):
    status = 402
    type = "card_error"


class IdempotencyConflict(ApiError):
    type = "idempotency_error"
