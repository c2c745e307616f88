"""What workers and the clock do. Each claims its row and calls one operation."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from celery.signals import worker_init
from django.conf import settings
from django.db.models.functions import Now

from accounts.reconciling import is_due
from contentopt.jobs import every, publish
from generation import importing, reconciling
from generation.batches import queue
from generation.caching import warming
from generation.engine import calls, items, registry
from generation.engine.warming import warm_up
from generation.models import CachedTemplate, CachedText
from generation.nights import items as night_items
from generation.streams import writing as streams


@worker_init.connect
def warm_up_before_fork(sender: Any, **_signal: Any) -> None:
    """In the parent, so that its children share what was loaded; not where no text is written."""
    if not str(sender.hostname).startswith("delivery@"):
        warm_up()


@shared_task(name=items.WRITE_ITEMS)
def write_items(*item_ids: str) -> None:
    items.write_items(item_ids)


@shared_task(name=importing.IMPORT_CATALOGUE)
def import_catalogue(catalogue_id: str) -> None:
    importing.import_catalogue(catalogue_id)


@every(settings.JOB_SWEEP_SECONDS)
def sweep_runs() -> None:
    items.sweep_runs()


@every(settings.JOB_SWEEP_SECONDS)
def sweep_imports() -> None:
    importing.sweep_imports()


@shared_task(name=night_items.PLAN_NIGHT)
def plan_night(night_id: str) -> None:
    night_items.plan_night(night_id)


@shared_task(name=night_items.WRITE_AHEAD)
def write_ahead(item_id: str) -> None:
    night_items.write_ahead(item_id)


@shared_task(name=queue.ADVANCE_BATCH)
def advance_batch(batch_id: str) -> None:
    queue.advance(batch_id)


@every(settings.JOB_SWEEP_SECONDS)
def sweep_batches() -> None:
    queue.sweep_batches()


# Acknowledged at once: the row is the queue, and an acknowledgement that still waits in a worker with threads when its
# line to the broker breaks is that worker's end (kombu 5.7), and with it that of all streams it writes.
@shared_task(name=streams.WRITE_STREAM, acks_late=False)
def write_stream(stream_id: str) -> None:
    streams.write_stream(stream_id)


@every(settings.JOB_SWEEP_SECONDS)
def sweep_streams() -> None:
    streams.sweep_streams()


@every(3600)
def drop_old_streams() -> None:
    streams.drop_old()


@every(60)
def open_nights() -> None:
    night_items.open_nights()


@every(settings.JOB_SWEEP_SECONDS)
def sweep_nights() -> None:
    night_items.sweep_nights()


@every(30)
def close_unanswered_calls() -> None:
    calls.close_unanswered_calls()


@shared_task(name=reconciling.RECONCILE)
def reconcile() -> None:
    reconciling.reconcile_once_a_day()


@every(300)
def ask_for_reconciliation() -> None:
    if is_due():
        publish(reconciling.RECONCILE)


@shared_task(name=registry.NOTE_RETIREMENTS)
def note_retirements() -> None:
    registry.note_retirements()


@every(6 * 3600)
def ask_for_retirements() -> None:
    publish(registry.NOTE_RETIREMENTS)


@shared_task(name=warming.WARM_CACHE)
def warm_cache() -> None:
    if warming.is_cold():
        warming.warm()


@every(10)
def ask_for_warming() -> None:
    if warming.is_cold():
        publish(warming.WARM_CACHE)


@every(3600)
def drop_old_night_items() -> None:
    night_items.drop_old()


@every(3600)
def drop_expired_texts() -> None:
    for kept in (CachedText, CachedTemplate):
        kept._base_manager.filter(expires_at__lt=Now()).delete()
