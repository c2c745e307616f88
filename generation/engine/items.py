"""The queue of run items: hand out, write, end."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.db.models.functions import Now

from contentopt import jobs
from contentopt.errors import DomainError
from contentopt.jobs import UNFINISHED, JobState
from generation.engine.storing import brief_from, store_text
from generation.engine.writing import write
from generation.facts import FactsError, extract_facts
from generation.models import Run, RunItem

log = structlog.get_logger()

WRITE_ITEM = "generation.tasks.write_item"
LET_GO = "Cancelled before it was written."
DIED = "Writing this product stopped the worker several times, so it was set aside. Retry it, or write to support."


def write_item(item_id: UUID | str, *, publish_next: bool = True) -> JobState | None:
    """Claim one item and bring it to an end. None when there was nothing to claim or the lease was lost."""
    item = jobs.claim(RunItem, item_id)
    if item is None:
        return None
    try:
        state = _write_claimed(item)
    except jobs.LostLease:
        log.info("lease_lost", item=str(item.pk))
        return None
    finish_run(item.run_id)
    if publish_next:
        hand_out(item.run_id, 1)
    return state


def _write_claimed(item: RunItem) -> JobState:
    try:
        with jobs.heartbeat(item):
            brief = brief_from(item.run.brief, extract_facts(item.product.product))
            written = write(brief, workspace_id=item.workspace_id, run_item=item)
    except FactsError as error:
        return jobs.give_back(item, seconds=0, failure=str(error), final=True)
    except DomainError as error:
        retryable = error.details.get("retryable", error.status == 503)
        wait = (error.retry_after or 5) * item.attempt
        return jobs.give_back(item, seconds=wait, failure=error.message, final=not retryable)
    with transaction.atomic():
        jobs.hold_lease(item)
        store_text(
            written,
            brief,
            workspace_id=item.workspace_id,
            product=item.product,
            run_item=item,
            created_by=item.run.created_by,
        )
        jobs.finish(item, JobState.DONE)
    return JobState.DONE


def finish_run(run_id: UUID) -> bool:
    """End the run when nothing is left to do; True for the one caller that ended it."""
    if RunItem._base_manager.filter(run_id=run_id, state__in=UNFINISHED).exists():
        return False
    ended = Run._base_manager.filter(pk=run_id, state=Run.State.RUNNING)
    return bool(ended.update(state=Run.State.FINISHED, finished_at=Now()))


_NEXT_ITEMS = """
UPDATE generation_runitem SET published_at = statement_timestamp() WHERE id IN (
    SELECT id FROM generation_runitem
     WHERE run_id = %s
       AND ((state = 'queued' AND next_run_at <= statement_timestamp())
            OR (state = 'running' AND lease_until < statement_timestamp()))
       AND (published_at IS NULL OR published_at < statement_timestamp() - make_interval(secs => %s))
     ORDER BY position LIMIT %s FOR UPDATE SKIP LOCKED)
RETURNING id
"""


def hand_out(run_id: UUID, count: int) -> int:
    """Publish the next items of a run. A run has few items out at a time, so that a long one starves nobody."""
    if count <= 0:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(_NEXT_ITEMS, [run_id, settings.JOB_RESEND_SECONDS, count])
        ids = [row[0] for row in cursor.fetchall()]
    sent = sum(jobs.publish(WRITE_ITEM, str(item_id)) for item_id in ids)
    if sent < len(ids):
        RunItem._base_manager.filter(pk__in=ids[sent:], state=JobState.QUEUED).update(published_at=None)
    return sent


def sweep_runs() -> None:
    """Re-send what was lost, end what died, finish what is complete. Running it twice changes nothing more."""
    jobs.fail_exhausted(RunItem, DIED)
    let_go_of_cancelled()
    for run in Run._base_manager.filter(state=Run.State.RUNNING):
        if not finish_run(run.pk):
            hand_out(run.pk, settings.RUN_WINDOW - items_out(run.pk))


def let_go_of_cancelled() -> int:
    """End items that were with a worker when their run was cancelled, and came back unwritten."""
    lately = Now() - timedelta(days=1)
    cancelled = Run._base_manager.filter(state=Run.State.CANCELLED, finished_at__gte=lately).values("pk")
    return RunItem._base_manager.filter(jobs.due(), run_id__in=cancelled).update(
        state=JobState.CANCELLED, failure=LET_GO, finished_at=Now(), lease_until=None
    )


def items_out(run_id: UUID) -> int:
    recently = Now() - timedelta(seconds=settings.JOB_RESEND_SECONDS)
    is_out = Q(state=JobState.RUNNING, lease_until__gte=Now()) | Q(state=JobState.QUEUED, published_at__gte=recently)
    return RunItem._base_manager.filter(is_out, run_id=run_id).count()
