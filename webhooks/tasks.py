"""What workers and the clock do for webhooks. Each calls one operation."""

from __future__ import annotations

from celery import shared_task
from django.conf import settings

from contentopt.jobs import every
from webhooks import delivering


# A process that is stuck in what no signal ends (a look-up of a name, say) is killed; its lease runs out.
@shared_task(name=delivering.DELIVER, time_limit=settings.WEBHOOK_KILL_SECONDS)
def deliver(delivery_id: str) -> None:
    delivering.deliver(delivery_id)


@every(settings.JOB_SWEEP_SECONDS)
def sweep_deliveries() -> None:
    delivering.sweep_deliveries()


@every(3600)
def drop_old() -> None:
    delivering.drop_old()
