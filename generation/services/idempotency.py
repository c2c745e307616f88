from __future__ import annotations

from typing import TypeVar

from django.db.models import QuerySet

from accounts.idempotency import key_reused
from generation.models import Refinement, Run, Stream, Text

Made = TypeVar("Made", Text, Stream, Refinement, Run)


def replayed(rows: QuerySet[Made], idempotency_key: str | None, request_hash: str) -> Made | None:
    """What was made under the key before. Raises DomainError when it was asked for with another body."""
    earlier = rows.filter(idempotency_key=idempotency_key).first() if idempotency_key else None
    if earlier and earlier.request_hash != request_hash:
        raise key_reused()
    return earlier
