"""Events as they come in: each is written down once, and answered later."""

from __future__ import annotations

from typing import Any

import structlog
from django.db import transaction
from django.db.models.functions import Now

from billing import gateway
from billing.models import BillingEvent
from contentopt.jobs import JobState, publish_on_commit, queue_again

log = structlog.get_logger()

PROCESS_EVENT = "billing.tasks.process_event"
THE_ENDPOINT = "default"


@transaction.atomic
def store(event: dict[str, Any], text: str, endpoint: str) -> bool:
    """False when it was known, or is of the other world: test where we are live, or live where we test."""
    ring = gateway.read_ring(event)
    if ring.is_live != gateway.is_live():
        log.error("livemode_mismatch", event_id=ring.event_id)
        return False
    row, is_new = BillingEvent.objects.get_or_create(
        endpoint=endpoint,
        event_id=ring.event_id,
        defaults={
            "type": ring.type,
            "object_id": ring.object_id,
            "object_url": ring.object_url,
            "customer_id": ring.customer_id,
            "api_version": ring.api_version,
            "body": text,
        },
    )
    if is_new:
        publish_on_commit(PROCESS_EVENT, str(row.pk))
    return is_new


@transaction.atomic
def replay(event: BillingEvent) -> None:
    """Act on it again, as if it had just come."""
    queue_again(BillingEvent.objects.filter(pk=event.pk).exclude(state=JobState.RUNNING), received_at=Now())
    publish_on_commit(PROCESS_EVENT, str(event.pk))
