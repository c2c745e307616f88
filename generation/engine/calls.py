"""One attempt at one text: its ceiling held and itself on the books before it is sent, its cost settled once after.

The place at the provider comes before the money, so that a budget holds nothing for what only waits for its turn.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from accounts import budgets
from accounts.budgets import Attempt, Payer, ReservationLost, Tokens
from accounts.models import Reservation
from contentopt.connections import let_go
from contentopt.database.rows import insert, update
from generation.caching.asking import PROMPT_VERSION
from generation.engine import upstream
from generation.facts import Brief, Task
from generation.llm.errors import LlmError
from generation.llm.prices import ceiling_nanos
from generation.llm.replies import plain_reply
from generation.llm.shares import Share, whole
from generation.llm.types import Completion, ModelSpec, OnText, Request, Usage
from generation.models import BatchPart, LlmCall, RunItem
from generation.prompts import build_request

log = structlog.get_logger()

BULK = frozenset({"run", "night"})  # endpoints where nobody looks on
# The columns of a call that are not known before it is sent.
COME_OF_IT = (
    "outcome", "error_kind", "complaints", "finished_at", "latency_ms", "provider_request_id", "input_tokens",
    "cached_tokens", "cache_write_tokens", "output_tokens", "cost_nanos", "cost_is_exact",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Prepared:
    """An attempt that is ready to be sent: nothing is held for it yet. `until` (monotonic seconds) it must be over."""

    call: LlmCall
    request: Request
    spec: ModelSpec
    payer: Payer
    text_id: UUID
    until: float


@dataclass(frozen=True, slots=True)
class Answer:
    """Close the call with `close_call` once it is known what the text is worth."""

    call: LlmCall
    text: str
    others: int = 0  # that it shared its call with
    waited_ms: int = 0  # for them


def input_bytes(request: Request) -> int:
    """A token is at least one byte, so the bytes of all that is sent bound its tokens from above."""
    return len(request.sent.encode())


def request_ceiling(request: Request, spec: ModelSpec, tier: str = "standard") -> int:
    return ceiling_nanos(input_bytes(request), request.max_tokens, spec.price, tier)


def prepare(
    brief: Brief,
    spec: ModelSpec,
    *,
    payer: Payer,
    text_id: UUID,
    fingerprint: str,
    attempt: int,
    until: float,
    complaints: Sequence[str] = (),
    variation: int = 0,
    run_item: RunItem | None = None,
    tier: str = "standard",
    is_read_along: bool = False,
) -> Prepared:
    """`tier` is the one whose price is held. What is read as it is written is asked for as plain text, whatever else
    the model can.
    """
    call = LlmCall(
        workspace_id=payer.workspace_id,
        fingerprint=fingerprint,
        text_id=text_id,
        run_item=run_item,
        provider=spec.provider,
        model_id=spec.model_id,
        tier=spec.tier,
        task=Task.REWRITE if brief.turns else brief.task,
        attempt=attempt,
        price_version=spec.price_version,
        prompt_version=PROMPT_VERSION,
    )
    request = build_request(
        brief,
        workspace_id=payer.workspace_id,
        call_id=call.pk,
        deadline_seconds=settings.MODEL_DEADLINE_SECONDS,
        complaints=complaints,
        variation=variation,
        is_structured=spec.capabilities.structured_output and not is_read_along,
    )
    call.ceiling_nanos = request_ceiling(request, spec, tier)
    return Prepared(call, request, spec, payer, text_id, until)


def hold(prepared: Prepared, wait: Callable[[float], None] | None = None) -> None:
    """Hold the ceiling. Raises SpendingRefused when no money could be held; then nothing happened.

    Other holds that are in the way are waited for with `wait`, or not at all.
    """
    call, spec = prepared.call, prepared.spec
    attempt = Attempt(call.pk, prepared.text_id, spec.provider, spec.model_id, spec.tier, spec.price_version)
    if wait:
        budgets.reserve(prepared.payer, attempt, call.ceiling_nanos, wait=wait)
    else:
        budgets.reserve(prepared.payer, attempt, call.ceiling_nanos, wait_seconds=0)


def send_alone(prepared: Prepared, on_text: OnText | None = None) -> Answer:
    """Send one request for one text. Raises LlmError, after recording it, when no text came, and SpendingRefused."""
    if on_text:
        let_go()  # streams are read by the hundred
    with place_for([prepared]) as step_aside:
        hold(prepared, step_aside)
        if lost := put_on_the_books([prepared.call]):
            raise lost[prepared.call.pk]
        return exchange(prepared, on_text)


def place_for(attempts: Sequence[Prepared]) -> AbstractContextManager[Callable[[float], None]]:
    """A place at the provider for attempts of one workspace that go upstream as one."""
    first = attempts[0]
    return upstream.place(
        first.spec,
        workspace_id=first.payer.workspace_id,
        is_bulk=all(prepared.payer.endpoint in BULK for prepared in attempts),
        until=min(prepared.until for prepared in attempts),
    )


def exchange(prepared: Prepared, on_text: OnText | None = None) -> Answer:
    """Send what is on the books already."""
    if on_text:
        let_go()
    call, spec = prepared.call, prepared.spec
    request = within(prepared.request, prepared.until)
    try:
        completion = upstream.ask(request, spec, workspace_id=call.workspace_id, on_text=on_text)
        fields = request.brief.fields if request.reply_schema else ()
        text = as_plain(completion.text, completion.usage, fields)
    except LlmError as error:
        record_failure(call, error, whole(error.usage, spec.price) if error.usage else None)
        raise
    record_reply(call, completion, whole(completion.usage, spec.price) if completion.usage else None)
    return Answer(call, text)


def as_plain(reply: str, usage: Usage | None, fields: Sequence[str]) -> str:
    """A structured reply of these fields as a plain one; without fields it is one already. Raises LlmError for one that
    is not of the shape that was asked for."""
    if not fields:
        return reply
    text = plain_reply(reply, fields)
    if text is None:
        raise LlmError(
            "malformed",
            "The reply is not of the shape that was asked for.",
            retryable=True,
            usage=usage,
            may_have_been_charged=usage is None,
        )
    return text


def within(request: Request, until: float) -> Request:
    """The same with no more time than is left until then (monotonic seconds)."""
    left = max(until - time.monotonic(), 0)
    return request if left >= request.deadline_seconds else replace(request, deadline_seconds=left)


def put_on_the_books(calls: Sequence[LlmCall]) -> dict[UUID, ReservationLost]:
    """Mark calls that go upstream as one as sent: from here on silence costs their ceilings.

    Returns those whose hold was let go before; they must not be sent.
    """
    lost: dict[UUID, ReservationLost] = {}
    with transaction.atomic():
        for call in calls:
            try:
                budgets.dispatch(call.pk)
            except ReservationLost as error:
                lost[call.pk] = error
        sent = [call for call in calls if call.pk not in lost]
        if len(sent) > 1:
            # The first one's id is what the provider is told.
            for call in sent:
                call.batch_id = sent[0].pk
        for call in sent:
            insert(call)
    return lost


def close_call(call: LlmCall, outcome: LlmCall.Outcome, complaints: Sequence[str] = ()) -> None:
    """Write down what came of a call, and settle its cost in the same transaction.

    The settling comes last, because from then on other requests wait for its budgets.
    """
    call.outcome = outcome
    call.complaints = list(complaints)
    call.finished_at = timezone.now()
    with transaction.atomic(savepoint=False):
        if call.is_batched:
            BatchPart.objects.in_workspace(call.workspace_id).filter(pk=call.pk).update(state=BatchPart.State.TAKEN)
        update(call, COME_OF_IT)
        _settle(call)


def _settle(call: LlmCall) -> None:
    is_answer = call.outcome == LlmCall.Outcome.ACCEPTED
    if not call.cost_is_exact:
        budgets.commit_ceiling(call.pk, is_answer=is_answer)
        return
    tokens = Tokens(call.input_tokens, call.cached_tokens, call.cache_write_tokens, call.output_tokens)
    budgets.settle(call.pk, cost_nanos=call.cost_nanos, tokens=tokens, is_answer=is_answer)
    if call.cost_nanos > call.ceiling_nanos:
        # The provider did not keep to what was asked of it. All of it is booked; staff should know.
        log.error("billed_beyond_ceiling", call=str(call.pk), model=call.model_id)


def close_unanswered_calls() -> int:
    """A call whose worker died counts as its hold does: at its ceiling, since the provider may have served it."""
    lately = Now() - timedelta(days=2)
    given_up = Reservation.objects.across_workspaces().filter(state=Reservation.State.COMMITTED, closed_at__gte=lately)
    calls = LlmCall.objects.across_workspaces().filter(outcome=LlmCall.Outcome.DISPATCHED, pk__in=given_up.values("pk"))
    return calls.update(outcome=LlmCall.Outcome.UNKNOWN, cost_nanos=F("ceiling_nanos"), finished_at=Now())


def record_reply(call: LlmCall, completion: Completion, share: Share | None) -> None:
    call.latency_ms = completion.latency_ms
    call.provider_request_id = completion.provider_request_id[:120]
    _bill(call, share)


def record_failure(call: LlmCall, error: LlmError, share: Share | None) -> None:
    """A request that surely cost nothing is free; one whose cost is unknown counts at its ceiling."""
    call.error_kind = error.kind
    if share is not None or error.may_have_been_charged:
        _bill(call, share)
    else:
        call.cost_is_exact = True
    close_call(call, LlmCall.Outcome.FAILED)


def _bill(call: LlmCall, share: Share | None) -> None:
    if share is None:
        call.cost_nanos = call.ceiling_nanos
        return
    call.input_tokens = share.usage.input_uncached
    call.cached_tokens = share.usage.input_cached
    call.cache_write_tokens = share.usage.cache_write_short + share.usage.cache_write_long
    call.output_tokens = share.usage.output
    call.cost_nanos = share.cost_nanos
    call.cost_is_exact = True
