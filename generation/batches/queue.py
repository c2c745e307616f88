"""The queue of batches: each is brought from stage to stage by whichever worker is told of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Now

from contentopt import jobs
from contentopt.jobs import UNFINISHED, JobState
from contentopt.tenancy import entering
from generation.batches import collecting, sending
from generation.engine.calls import close_call
from generation.engine.postponing import answer_of
from generation.llm.errors import LlmError
from generation.models import BatchPart, LlmBatch, LlmCall, Night, NightItem, Run, RunItem

log = structlog.get_logger()

ADVANCE_BATCH = "generation.tasks.advance_batch"
RETRY_SECONDS = 30.0
STUCK_SECONDS = 60.0

Stage = LlmBatch.Stage
STEPS: dict[str, Callable[[LlmBatch], float | None]] = {
    Stage.BUILDING: sending.build,
    Stage.SUBMITTED: collecting.poll,
    Stage.ENDED: collecting.collect,
}


def advance(batch_id: UUID | str) -> str | None:
    """Claim a batch and bring it as far as it goes. Its stage then; None when there was nothing to claim."""
    batch = jobs.claim(LlmBatch, batch_id)
    if batch is None:
        return None
    with entering(batch.workspace_id):
        try:
            with jobs.heartbeat(batch):
                seconds = _advance(batch)
            if seconds is not None:
                _put_back(batch, seconds)
        except jobs.LostLease:
            log.info("lease_lost", batch=str(batch.pk))
            return None
        batch.refresh_from_db()
        return batch.stage


def _advance(batch: LlmBatch) -> float | None:
    """Step by step, until it has to wait (seconds) or is finished (None)."""
    seconds: float | None = 0
    is_first = False
    while seconds == 0:
        try:
            if batch.stage == Stage.SUBMITTING:
                seconds = sending.submit(batch, is_first=is_first)
            else:
                seconds = STEPS[batch.stage](batch)
        except LlmError as error:
            log.warning("batch_step_failed", batch=str(batch.pk), stage=batch.stage, kind=error.kind)
            return error.retry_after or min(RETRY_SECONDS, settings.BATCH_POLL_SECONDS)
        is_first = batch.stage == Stage.BUILDING  # closed a moment ago, by us
        token = batch.lease_token
        batch.refresh_from_db()
        if batch.lease_token != token:
            raise jobs.LostLease(str(batch.pk))
    return seconds


def _put_back(batch: LlmBatch, seconds: float) -> None:
    jobs.with_lease(batch).update(
        state=JobState.QUEUED,
        attempt=0,
        lease_until=None,
        published_at=None,
        next_run_at=Now() + timedelta(seconds=seconds),
    )


def sweep_batches() -> None:
    """Tell workers of what is due. What workers died over is never given up: somebody may have paid for it."""
    stuck = LlmBatch._base_manager.filter(jobs.due(), attempt__gte=settings.JOB_MAX_ATTEMPTS)
    if stuck.update(
        state=JobState.QUEUED, attempt=0, lease_until=None, next_run_at=Now() + timedelta(seconds=STUCK_SECONDS)
    ):
        log.error("batch_stuck")
    jobs.publish_due(LlmBatch, ADVANCE_BATCH)
    close_unused()


def close_unused() -> int:
    """Settle answers that nobody waits for any more: another way to the text was faster, or the item is gone."""
    parts = BatchPart._base_manager.filter(
        ~Exists(RunItem._base_manager.filter(waits_for=OuterRef("pk"), state__in=UNFINISHED)),
        ~Exists(NightItem._base_manager.filter(waits_for=OuterRef("pk"), state__in=UNFINISHED)),
        state=BatchPart.State.ANSWERED,
    )
    closed = 0
    for part in parts.select_related("batch", "call")[:500]:
        with transaction.atomic():
            if parts.filter(pk=part.pk).update(state=BatchPart.State.TAKEN):
                close_call(answer_of(part).call, LlmCall.Outcome.UNUSED)
                closed += 1
    return closed


def cancel(owner: Run | Night) -> int:
    """Have the provider stop what it has not begun. What it has written is paid for, and kept. How many batches."""
    open_batches = owner.batches.filter(Q(state__in=UNFINISHED), cancel_asked_at=None)
    return open_batches.update(cancel_asked_at=Now(), next_run_at=Now(), published_at=None)


def advance_due(owner: Run | Night) -> None:
    """Here and now, for a terminal that has no workers."""
    due = owner.batches.filter(jobs.due()).order_by(F("next_run_at"))
    for batch_id in list(due.values_list("pk", flat=True)):
        advance(batch_id)
