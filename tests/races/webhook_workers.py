"""What the worker processes of the webhook tests do."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from webhooks.announcing import announce
from webhooks.delivering import claim, deliver


def deliver_each(delivery_ids: Sequence[UUID]) -> list[str | None]:
    return [deliver(delivery_id) for delivery_id in delivery_ids]


def announce_many(workspace_id: UUID, count: int) -> int:
    """How many times nothing went wrong."""
    for _ in range(count):
        announce(workspace_id, "run.finished", dict)
    return count


def claim_each(delivery_ids: Sequence[UUID]) -> list[UUID]:
    """Which of the deliveries this process won."""
    return [delivery_id for delivery_id in delivery_ids if claim(delivery_id)]
