from __future__ import annotations

from typing import Protocol

from accounts.idempotency import key_reused


class Replayable(Protocol):
    request_hash: str


def refuse_another_body(earlier: Replayable | None, request_hash: str) -> None:
    """What was made under the same Idempotency-Key must have been asked for with the same body."""
    if earlier and earlier.request_hash != request_hash:
        raise key_reused()
