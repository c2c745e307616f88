"""Write down what happened, for those who want to be told. Called inside the transaction in which it happens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from webhooks.models import Delivery, Event

# Locked as a foreign key locks: who removes an endpoint waits for it, and a text is not refused because its event's
# endpoint has just gone. Django has no word for this lock.
_LISTENING = """
SELECT id FROM webhooks_endpoint
 WHERE workspace_id = %s AND state = 'enabled' AND event_types @> ARRAY[%s]::varchar[] FOR KEY SHARE
"""


def announce(workspace_id: UUID, event_type: str, describe: Callable[[], dict[str, Any]], *, key: str = "") -> None:
    """An event, and a delivery of it to each endpoint that listens to its type.

    Where nobody listens this is one look-up and nothing is written: `describe` is not even called. Nobody is woken up
    either, so that a run of a hundred thousand texts is not slowed down; the clock hands deliveries out within seconds.
    With a `key`, announcing the same again does nothing.
    """
    with transaction.atomic(savepoint=False):
        endpoint_ids = _listening(workspace_id, event_type)
        if not endpoint_ids:
            return
        event = Event(workspace_id=workspace_id, type=event_type, data=describe(), key=key or None)
        Event.objects.bulk_create([event], ignore_conflicts=bool(key))
        if key and not Event.objects.in_workspace(workspace_id).filter(pk=event.pk).exists():
            return
        Delivery.objects.bulk_create(
            Delivery(workspace_id=workspace_id, event=event, endpoint_id=endpoint_id) for endpoint_id in endpoint_ids
        )


def _listening(workspace_id: UUID, event_type: str) -> list[UUID]:
    with connection.cursor() as cursor:
        cursor.execute(_LISTENING, [workspace_id, event_type])
        return [row[0] for row in cursor.fetchall()]


def public_address(path: str) -> str:
    return f"{settings.PUBLIC_URL.rstrip('/')}{path}"
