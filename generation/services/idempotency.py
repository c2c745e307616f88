from __future__ import annotations

from contentopt.errors import DomainError


def key_reused() -> DomainError:
    return DomainError(
        "This Idempotency-Key was used before with another body. Use a new key for a new request.",
        code="idempotency_key_reused",
    )
