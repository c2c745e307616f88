"""A batch is closed once nothing more comes for it, put on the books, and only then sent.

What a kill leaves behind, by the stage it falls in: *building*: nothing was sent, and the next worker goes on.
*Submitting*: the provider may have the batch without our knowing its name, so it is looked for before it is sent
again: OpenAI's by our id in its metadata, Anthropic's, which carry no name, by age and size. Whose such a batch is in
truth its results say (`collecting`), and those are known by the ids of our calls wherever they come from.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from accounts import budgets
from contentopt import jobs
from contentopt.jobs import UNFINISHED, JobState
from generation.batches.collecting import refuse
from generation.engine import postponing, upstream
from generation.engine.postponing import spec_of
from generation.llm.batches import HOURS, Line, Status
from generation.llm.errors import LlmError
from generation.models import BatchPart, LlmBatch, LlmCall, Run

log = structlog.get_logger()

BUILDING_SECONDS = 2.0  # between two looks at whether more comes
PAUSED_SECONDS = 10.0
RIVAL_SECONDS = 60.0
CLOCKS_APART = timedelta(minutes=5)  # the provider's and ours, at most

Stage, State = LlmBatch.Stage, BatchPart.State


def build(batch: LlmBatch) -> float | None:
    """Close the batch when it is full or nothing more comes. Seconds until the next step; None when there is none."""
    if _is_cancelled(batch):
        withdraw(batch)
        return None
    if batch.run and batch.run.state == Run.State.PAUSED:
        return PAUSED_SECONDS
    if _more_comes(batch) and batch.parts.count() < settings.BATCH_MOST_PARTS:
        return BUILDING_SECONDS
    return 0 if _close(batch) else None


def _is_cancelled(batch: LlmBatch) -> bool:
    if batch.run:
        return batch.run.state == Run.State.CANCELLED
    return batch.night is not None and batch.night.state == JobState.CANCELLED


def _more_comes(batch: LlmBatch) -> bool:
    """Whether items of the run or night are on their way to a model."""
    if batch.night and batch.night.state in UNFINISHED:
        return True  # being planned
    owner = batch.run or batch.night
    assert owner is not None  # noqa: S101 (a constraint)
    return owner.items.filter(jobs.due() | Q(state=JobState.RUNNING)).exists()


@transaction.atomic
def _close(batch: LlmBatch) -> int:
    """From here on silence costs the ceilings. How many parts are to be sent."""
    _lock(batch, Stage.SUBMITTING, submitting_at=Now())
    waiting = batch.parts.filter(state=State.WAITING)
    lost = budgets.dispatch_all(waiting.values_list("pk", flat=True), settings.BATCH_HOLD_SECONDS)
    if lost:
        _forget(batch, list(lost))
    calls = LlmCall.objects.in_workspace(batch.workspace_id).filter(part__batch=batch)
    calls.update(outcome=LlmCall.Outcome.DISPATCHED)
    count = waiting.update(state=State.SENT)
    jobs.with_lease(batch).update(part_count=count)
    if not count:
        jobs.finish(batch, JobState.CANCELLED, stage=Stage.COLLECTED)
    return count


def _lock(batch: LlmBatch, stage: str, **columns: object) -> None:
    """Change the stage, and with it keep out whoever would add a part until the transaction ends."""
    if not jobs.with_lease(batch).update(stage=stage, **columns):
        raise jobs.LostLease(str(batch.pk))


@transaction.atomic
def withdraw(batch: LlmBatch) -> None:
    """Nothing of it was sent: let go of what is held."""
    _lock(batch, Stage.COLLECTED)
    parts = list(batch.parts.values_list("pk", flat=True))
    for part in parts:
        budgets.release(part)
    _forget(batch, parts)
    jobs.finish(batch, JobState.CANCELLED)


def _forget(batch: LlmBatch, parts: list[UUID]) -> None:
    """Parts that were never sent; who waits for them asks again or is let go."""
    postponing.wake(parts)
    LlmCall.objects.in_workspace(batch.workspace_id).filter(pk__in=parts).delete()


def submit(batch: LlmBatch, *, is_first: bool) -> float | None:
    """Send it, unless an earlier worker did. Raises LlmError when it is to be tried again."""
    if not _sent(batch).exists():  # another batch's results brought all of them
        jobs.finish(batch, JobState.DONE, stage=Stage.COLLECTED)
        return None
    if not is_first and (found := _find(batch)):
        log.warning("batch_found_again", batch=str(batch.pk), vendor_id=found.vendor_id)
        return _keep(batch, found)
    if batch.not_ours and _rivals(batch):
        return RIVAL_SECONDS
    lines = [Line(str(pk), params) for pk, params in _sent(batch).values_list("pk", "params")]
    try:
        status = upstream.create_batch(batch.pk, lines, spec_of(batch))
    except LlmError as error:
        if _may_succeed_yet(batch, error):
            raise
        refuse(batch, error)
        return None
    return _keep(batch, status)


def _sent(batch: LlmBatch) -> QuerySet[BatchPart]:
    return batch.parts.filter(state=State.SENT).order_by("call__created_at", "pk")


def _find(batch: LlmBatch) -> Status | None:
    assert batch.submitting_at is not None  # noqa: S101 (of this stage)
    known = LlmBatch.objects.across_workspaces().filter(provider=batch.provider).exclude(vendor_id="")
    recent = known.filter(submitting_at__gte=batch.submitting_at - timedelta(hours=HOURS))
    return upstream.find_batch(
        batch.pk,
        batch.part_count,
        spec_of(batch),
        since=batch.submitting_at - CLOCKS_APART,
        others={*recent.values_list("vendor_id", flat=True), *batch.not_ours},
    )


def _rivals(batch: LlmBatch) -> bool:
    """Whether another batch of the same size may have been taken for this one: then its results bring ours."""
    others = LlmBatch.objects.across_workspaces().filter(
        provider=batch.provider, part_count=batch.part_count, stage__in=(Stage.SUBMITTED, Stage.ENDED)
    )
    return others.exclude(pk=batch.pk).exists()


def _may_succeed_yet(batch: LlmBatch, error: LlmError) -> bool:
    """An error that leaves open whether the provider has the batch is never the last word."""
    assert batch.submitting_at is not None  # noqa: S101 (of this stage)
    is_recent = timezone.now() < batch.submitting_at + timedelta(hours=HOURS)
    return error.may_have_been_charged or (error.retryable and is_recent)


def _keep(batch: LlmBatch, status: Status) -> float:
    try:
        with transaction.atomic():
            _lock(batch, Stage.SUBMITTED, vendor_id=status.vendor_id, submitted_at=Now())
    except IntegrityError:  # another batch of the same size was faster to find it
        return RIVAL_SECONDS
    pause: float = settings.BATCH_POLL_SECONDS
    return pause
