"""What came of a batch's parts: answers are kept for those who wait, everything else is settled here and now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from itertools import islice
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from contentopt import jobs
from contentopt.jobs import JobState
from contentopt.tenancy import across_workspaces
from generation.engine import postponing, upstream
from generation.engine.calls import as_plain, record_failure
from generation.engine.postponing import spec_of
from generation.llm.batches import Result
from generation.llm.errors import LlmError
from generation.llm.prices import cost_nanos
from generation.llm.shares import whole
from generation.llm.types import Completion
from generation.models import BatchPart, LlmBatch

log = structlog.get_logger()

AT_ONCE = 200  # parts of one transaction
CANCELLING_SECONDS = 5.0
MAX_ERROR = 200

Stage, State = LlmBatch.Stage, BatchPart.State


def poll(batch: LlmBatch) -> float | None:
    """Ask the provider how far it is, or tell it to stop. Seconds until the next step."""
    spec = spec_of(batch)
    if batch.cancel_asked_at and not batch.cancel_sent_at:
        upstream.cancel_batch(batch.vendor_id, spec)
        jobs.with_lease(batch).update(cancel_sent_at=Now())
    status = upstream.poll_batch(batch.vendor_id, spec)
    if status.failure:
        refuse(batch, status.failure)
        return None
    if not status.is_ended:
        pause: float = settings.BATCH_POLL_SECONDS
        return min(pause, CANCELLING_SECONDS) if batch.cancel_asked_at else pause
    jobs.with_lease(batch).update(stage=Stage.ENDED)
    return 0


def collect(batch: LlmBatch) -> float | None:
    """Read the results; again, if a worker died over them: what was taken before is left as it is."""
    spec = spec_of(batch)
    status = upstream.poll_batch(batch.vendor_id, spec)
    results = upstream.batch_results(batch.vendor_id, spec)
    own = {str(pk) for pk in batch.parts.values_list("pk", flat=True)}
    for some in _chunks(results):
        take(batch.provider, some)
    if results and not own & {result.call_id for result in results}:
        return _disown(batch)
    _fail(batch, status.absent or _no_result())
    jobs.finish(batch, JobState.DONE, stage=Stage.COLLECTED)
    return None


@across_workspaces()
@transaction.atomic
def take(provider: str, results: Sequence[Result]) -> None:
    """Of parts that are still waited for, whichever batch of ours they are of."""
    outcomes = {call_id: result.outcome for result in results if (call_id := _uuid(result.call_id))}
    sent = BatchPart.objects.across_workspaces().filter(pk__in=outcomes, state=State.SENT, batch__provider=provider)
    parts = list(sent.select_related("batch", "call").select_for_update(of=("self",), no_key=True).order_by("pk"))
    for part in parts:
        _take(part, outcomes[part.pk])
    _keep(parts)


def _take(part: BatchPart, outcome: Completion | LlmError) -> None:
    part.params = {}
    if isinstance(outcome, Completion):
        outcome = _plain(outcome, part.fields)
    price = spec_of(part.batch).price
    usage = outcome.usage
    if usage:
        part.usage = asdict(usage)
        part.saved_nanos = cost_nanos(replace(usage, tier="standard"), price) - cost_nanos(usage, price)
    if isinstance(outcome, Completion):
        part.state, part.answer, part.request_id = State.ANSWERED, outcome.text, outcome.provider_request_id[:120]
        return
    record_failure(part.call, outcome, whole(usage, price) if usage else None)
    part.state, part.error, part.is_retryable = State.FAILED, outcome.message[:MAX_ERROR], outcome.retryable


def _plain(completion: Completion, fields: Sequence[str]) -> Completion | LlmError:
    try:
        return replace(completion, text=as_plain(completion.text, completion.usage, fields))
    except LlmError as error:
        return error


def _keep(parts: Sequence[BatchPart]) -> None:
    columns = ("state", "params", "answer", "usage", "request_id", "saved_nanos", "error", "is_retryable")
    BatchPart.objects.across_workspaces().bulk_update(parts, columns)
    postponing.wake([part.pk for part in parts])


def _fail(batch: LlmBatch, error: LlmError) -> None:
    """Whatever has no result yet."""
    sent = batch.parts.filter(state=State.SENT).order_by("pk").select_related("batch", "call")
    while True:
        with transaction.atomic():
            parts = list(sent.select_for_update(of=("self",), no_key=True)[:AT_ONCE])
            for part in parts:
                _take(part, error)
            _keep(parts)
        if not parts:
            return


def refuse(batch: LlmBatch, error: LlmError) -> None:
    """The provider would not have it: every part ends at no cost, and so does the batch."""
    log.error("batch_refused", batch=str(batch.pk), provider=batch.provider, kind=error.kind)
    _fail(batch, error)
    jobs.finish(batch, JobState.FAILED, failure=error.message, stage=Stage.REFUSED)


def _disown(batch: LlmBatch) -> float:
    """It was somebody else's, taken for ours after a kill; ours is looked for again, or sent."""
    log.error("batch_was_not_ours", batch=str(batch.pk), vendor_id=batch.vendor_id)
    not_ours = [*batch.not_ours, batch.vendor_id]
    jobs.with_lease(batch).update(stage=Stage.SUBMITTING, vendor_id="", not_ours=not_ours)
    return 0


def _no_result() -> LlmError:
    return LlmError(
        "malformed", "The provider's results say nothing of it.", retryable=True, may_have_been_charged=True
    )


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _chunks(results: Sequence[Result]) -> Iterator[list[Result]]:
    remaining = iter(results)
    while some := list(islice(remaining, AT_ONCE)):
        yield some
