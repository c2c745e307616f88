"""What is not urgent does not call a model: it is put into the run's or the night's next batch, and its item waits.

`write` comes by twice. The first time it goes through everything that is free, holds the ceiling at the batch price
and leaves the request (`postpone`). The second time the answer is in hand (`start_of`), and all else is as ever: the
check, the template, the quota, the caches. Identical briefs, and the variants of a family, wait for one request.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NoReturn
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q, Sum
from django.db.models.functions import Now

from accounts import budgets
from contentopt import jobs
from contentopt.errors import DomainError
from contentopt.jobs import JobState
from generation.engine.calls import Answer, Prepared, hold, record_reply
from generation.engine.prefixes import with_cache
from generation.llm.providers import batch_api, has_batches
from generation.llm.shares import whole
from generation.llm.types import Access, Capabilities, Completion, ModelSpec, Price, Quirks, Usage
from generation.models import BatchPart, LlmBatch, LlmCall, NightItem, Run, RunItem
from generation.routing import Route, Stage, is_above

MOST_TRIES = 3  # batches in which one text may come back unserved
LOOK_AGAIN_SECONDS = 3_600  # a wake-up call that got lost costs no more than this
NO_ROOM_SECONDS = 20  # until other holds of the same cap may have been settled

Waiting = RunItem | NightItem


class Postponed(Exception):
    """The item waits for this part; without one, for room in a budget that other parts hold."""

    def __init__(self, part: BatchPart | None) -> None:
        super().__init__(str(part and part.pk))
        self.part = part


class NeverServed(DomainError):
    code = "provider_unavailable"
    status = 503


@dataclass(frozen=True, slots=True)
class Start:
    """Where the writing of a text begins, or goes on. `text_id` is None for one that begins."""

    spec: ModelSpec
    attempt: int = 1
    complaints: Sequence[str] = ()
    tries: int = 1
    text_id: UUID | None = None
    answer: Answer | None = None


def batch_specs(route: Route) -> tuple[ModelSpec, ...]:
    """One model of each stage that takes batches. None when the first stage has none: dearer ones are no bargain."""
    found = [next((spec for spec in stage.specs if has_batches(spec)), None) for stage in route.stages]
    return tuple(spec for spec in found if spec) if found and found[0] else ()


def may_wait(routes: Sequence[Route]) -> bool:
    """Whether whatever these lead to can be had by batch."""
    return bool(routes) and all(batch_specs(route) for route in routes)


def stages_from(spec: ModelSpec, route: Route) -> tuple[Stage, ...]:
    """This model, also where the route has left it out by now, and those above it."""
    higher = (other for other in batch_specs(route) if is_above(other.tier, spec.tier))
    return tuple(Stage(each.tier, (each,)) for each in (spec, *higher))


def start_of(item: Waiting, key: str, route: Route) -> Start:
    """Raises Postponed while a request of this key is pending, NeverServed when it makes no sense to ask again."""
    part = _live(item.workspace_id, key)
    if part and part.state in BatchPart.PENDING:
        raise Postponed(part)
    if part:
        return _going_on(part, answer_of(part))
    if not is_wanted(item):
        raise Postponed(None)
    last = item.waits_for
    if last and last.state == BatchPart.State.FAILED and last.key == key:
        return _again(last)
    specs = batch_specs(route)
    if not specs:
        raise NeverServed(
            "No model that takes batches is switched on at the moment. Nothing was charged.",
            retry_after=60,
            details={"retryable": True},
        )
    return Start(specs[0])


def _live(workspace_id: UUID, key: str) -> BatchPart | None:
    parts = BatchPart.objects.in_workspace(workspace_id).select_related("batch", "call")
    return parts.filter(key=key, state__in=BatchPart.LIVE).first()


def answer_of(part: BatchPart) -> Answer:
    """With its call billed by the usage that came with it, at the price of the batch."""
    call, price = part.call, spec_of(part.batch).price
    usage = Usage(**part.usage) if part.usage else None
    completion = Completion(part.answer, usage, call.model_id, "", 0, part.request_id)
    record_reply(call, completion, whole(usage, price) if usage else None)
    return Answer(call, part.answer)


def is_wanted(item: Waiting) -> bool:
    """Whether whoever started the item still wants more than what is paid for."""
    if isinstance(item, RunItem):
        return item.run.state != Run.State.CANCELLED
    return item.night.state != JobState.CANCELLED


def _going_on(part: BatchPart, answer: Answer | None = None, tries: int = 1) -> Start:
    call = part.call
    return Start(spec_of(part.batch), call.attempt, tuple(part.complaints), tries, call.text_id, answer)


def _again(last: BatchPart) -> Start:
    if last.is_retryable and last.tries < MOST_TRIES:
        return _going_on(last, tries=last.tries + 1)
    raise NeverServed(
        f"No text came of {last.tries} batch{'es' if last.tries > 1 else ''}: {last.error} "
        "Retry it, or write it now at the usual price.",
        details={"retryable": False},
    )


def postpone(prepared: Prepared, *, item: Waiting, key: str, start: Start, complaints: Sequence[str]) -> NoReturn:
    """Hold the ceiling and leave the request for the next batch. Raises Postponed, or SpendingRefused."""
    call, request, spec = prepared.call, prepared.request, prepared.spec
    call.outcome, call.is_batched = LlmCall.Outcome.WAITING, True
    line = batch_api(spec.kind).build_line(with_cache(request, spec), spec)
    hold(prepared)
    tries = start.tries if (spec, call.attempt) == (start.spec, start.attempt) else 1
    try:
        with transaction.atomic():
            batch = _being_filled(item, spec)
            budgets.keep_held(call.pk, settings.BATCH_HOLD_SECONDS)
            call.save(force_insert=True)
            part = BatchPart.objects.create(
                id=call.pk,
                workspace_id=call.workspace_id,
                call=call,
                batch=batch,
                key=key,
                complaints=list(complaints),
                tries=tries,
                params=dict(line.params),
                fields=list(request.brief.fields) if request.reply_schema else [],
            )
    except IntegrityError:  # flights are only leased: somebody else asks for the same already
        budgets.release(call.pk)
        raise Postponed(_live(call.workspace_id, key)) from None
    raise Postponed(part)


def _being_filled(item: Waiting, spec: ModelSpec) -> LlmBatch:
    """Locked against being sent until the transaction ends."""
    whose: dict[str, Any] = {"run_id": item.run_id} if isinstance(item, RunItem) else {"night_id": item.night_id}
    batches = LlmBatch.objects.in_workspace(item.workspace_id)
    known = {**whose, "provider": spec.provider, "model_id": spec.model_id, "stage": LlmBatch.Stage.BUILDING}
    new = LlmBatch(workspace_id=item.workspace_id, spec=asdict(spec), **known)
    while not (batch := batches.select_for_update(no_key=True).filter(**known).first()):
        LlmBatch.objects.bulk_create([new], ignore_conflicts=True)
    return batch


def spec_of(batch: LlmBatch) -> ModelSpec:
    kept = batch.spec
    parts = {name: part(**kept[name]) for name, part in _SPEC_PARTS.items()}
    return ModelSpec(**{**kept, **parts})


_SPEC_PARTS: dict[str, Callable[..., Any]] = {
    "price": Price,
    "access": Access,
    "quirks": Quirks,
    "capabilities": Capabilities,
}


def wait(item: Waiting, part: BatchPart | None, *, or_end_with: str) -> JobState:
    """Put the claimed item back until the part has come to something; it does not use up an attempt. One that is no
    longer wanted ends with this reason."""
    if part is None and not is_wanted(item):
        jobs.finish(item, JobState.CANCELLED, failure=or_end_with)
        return JobState.CANCELLED
    with transaction.atomic():
        # The collector locks the part before it looks for those who wait: either we see its answer, or it sees us.
        live = part and BatchPart.objects.in_workspace(part.workspace_id).select_for_update(no_key=True).get(pk=part.pk)
        is_pending = bool(live and live.state in BatchPart.PENDING)
        seconds = LOOK_AGAIN_SECONDS if is_pending else 0 if live else NO_ROOM_SECONDS
        if live:
            jobs.with_lease(item).update(waits_for=live)
        return jobs.give_back(item, seconds=seconds, failure="", counts=False)


def wake(parts: Sequence[UUID]) -> None:
    """Have those who wait for these parts written. Part of the caller's transaction, after the parts were changed."""
    for model in (RunItem, NightItem):
        model._base_manager.filter(waits_for__in=parts, state=JobState.QUEUED).update(
            next_run_at=Now(), published_at=None
        )


def is_upstream() -> Q:
    """Items whose text, or whose family's, a provider may be writing or has written. Pass `Waiting` rows only."""
    parts = BatchPart._base_manager.filter(state__in=(*BatchPart.LIVE, BatchPart.State.TAKEN))
    return Q(waits_for__in=parts.exclude(state=BatchPart.State.WAITING).values("pk"))


def spent_before(text_id: UUID, workspace_id: UUID) -> dict[str, int]:
    """Cost (nano-dollars) and tokens of a text's earlier attempts."""
    ended = LlmCall.objects.in_workspace(workspace_id).filter(text_id=text_id, finished_at__isnull=False)
    names = ("cost_nanos", "input_tokens", "cached_tokens", "output_tokens")
    sums = ended.order_by().aggregate(**{f"sum_{name}": Sum(name) for name in names})
    return {name: sums[f"sum_{name}"] or 0 for name in names}
