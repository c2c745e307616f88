"""Texts that may share a call go upstream together, each on books of its own.

Nobody waits on a quiet process: a request that finds no call of its kind in flight leaves at once. While one is in
flight, those that come after it gather. They leave together when all calls of their kind are back, when there are
MICRO_BATCH_MOST of them, or after MICRO_BATCH_SECONDS. Of one kind are requests of one workspace to one model that
differ in nothing but their facts.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from uuid import UUID

from django.conf import settings

from accounts.budgets import BudgetInFlight, SpendingRefused
from generation.engine import upstream
from generation.engine.calls import (
    Answer,
    Prepared,
    exchange,
    hold,
    input_bytes,
    place_for,
    put_on_the_books,
    record_failure,
    record_reply,
    send_alone,
    within,
)
from generation.facts import Brief, Facts
from generation.llm.errors import LlmError
from generation.llm.prices import FRAME_TOKENS
from generation.llm.replies import split_shared_reply
from generation.llm.shares import Share, share_out
from generation.llm.types import ModelSpec, Usage
from generation.prompts import build_shared_request, part_ids

# What one text of a shared call may be the cause of.
_ONES_FAULT = frozenset({"bad_request", "refused", "cut", "empty", "malformed"})

Key = tuple[UUID, ModelSpec, Brief]


class PartLost(LlmError):
    """A shared call brought no text for this part; alone it may."""


class Company:
    """Items that set out together: a call waits for those of them that are still on their way to it."""

    def __init__(self, members: Iterable[UUID]) -> None:
        self.on_their_way = set(members)

    def leave(self, member: UUID) -> None:
        """It has joined a call, waits for somebody else's, or needs none. Again is no harm."""
        with _changed:
            self.on_their_way.discard(member)
            _changed.notify_all()


@dataclass(slots=True, eq=False)
class _Part:
    prepared: Prepared
    company: Company | None
    since: float = field(default_factory=time.monotonic)
    answer: Future[Answer] = field(default_factory=Future)

    def fail(self, error: BaseException) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)


@dataclass(slots=True, eq=False)
class _Batch:
    parts: list[_Part] = field(default_factory=list)

    @property
    def is_full(self) -> bool:
        most: int = settings.MICRO_BATCH_MOST
        return len(self.parts) >= most

    @property
    def is_awaited(self) -> bool:
        return any(part.company and part.company.on_their_way for part in self.parts)

    def has_room_for(self, part: _Part) -> bool:
        """The call must stay one that each part's own ceiling was reckoned for: below the step to dearer rates."""
        requests = [known.prepared.request for known in (*self.parts, part)]
        spec = part.prepared.spec
        given = sum(input_bytes(request) + FRAME_TOKENS for request in requests)
        written = sum(request.max_tokens for request in requests)
        return (
            not self.is_full
            and given <= (spec.price.long_context_from or spec.max_input_tokens)
            and written <= spec.max_output_tokens
        )


@dataclass(slots=True)
class _Kind:
    batches: int = 0  # not back yet, the one that gathers among them
    gathering: _Batch | None = None


_kinds: dict[Key, _Kind] = {}
_changed = threading.Condition()


def may_share(spec: ModelSpec) -> bool:
    """A model that cannot be held to a schema would spoil too many shared replies."""
    return is_on() and spec.capabilities.structured_output


def is_on() -> bool:
    seconds: float = settings.MICRO_BATCH_SECONDS
    return seconds > 0


def send(prepared: Prepared, company: Company | None = None) -> Answer:
    """Send a first attempt, in one call with others of its kind if there are any at the moment.

    Raises LlmError, after recording it, when no text came; PartLost when it should be tried again alone.
    """
    if not may_share(prepared.spec):
        return send_alone(prepared)
    part = _Part(prepared, company)
    key = _key(prepared)
    with _changed:
        kind = _kinds.setdefault(key, _Kind())
        if kind.gathering is None or not kind.gathering.has_room_for(part):
            kind.batches += 1
            kind.gathering = _Batch()
        batch = kind.gathering
        batch.parts.append(part)
        if company and prepared.call.run_item_id:
            company.on_their_way.discard(prepared.call.run_item_id)
        _changed.notify_all()
    if batch.parts[0] is part:
        _lead(key, kind, batch)
    return part.answer.result()


def _key(prepared: Prepared) -> Key:
    return prepared.call.workspace_id, prepared.spec, replace(prepared.request.brief, facts=Facts("", (), ""))


def _lead(key: Key, kind: _Kind, batch: _Batch) -> None:
    """Wait for company, send the batch, and see to it that every part gets an answer."""

    def may_leave() -> bool:
        is_alone = kind.batches == 1 and not batch.is_awaited
        return is_alone or batch.is_full or kind.gathering is not batch

    try:
        with _changed:
            _changed.wait_for(may_leave, settings.MICRO_BATCH_SECONDS)
            if kind.gathering is batch:
                kind.gathering = None
        _send(batch.parts)
    except BaseException as error:
        for part in batch.parts:
            part.fail(error)
        raise
    finally:
        with _changed:
            kind.batches -= 1
            if not kind.batches:
                del _kinds[key]
            _changed.notify_all()


def _send(parts: Sequence[_Part]) -> None:
    left = time.monotonic()
    with place_for([part.prepared for part in parts]):
        sent = _booked([part for part in parts if _is_held(part)])
        if len(sent) > 1:
            _send_together(sent, left)
        elif sent:
            _send_one(sent[0])


def _is_held(part: _Part) -> bool:
    """Hold a part's money, or fail it. Where others would have to wait for it, it waits by itself, alone."""
    try:
        hold(part.prepared)
    except BudgetInFlight as refusal:
        part.fail(PartLost("busy", refusal.message, retryable=True))
    except SpendingRefused as refusal:
        part.fail(refusal)
    else:
        return True
    return False


def _booked(parts: Sequence[_Part]) -> list[_Part]:
    lost = put_on_the_books([part.prepared.call for part in parts])
    for part in parts:
        if error := lost.get(part.prepared.call.pk):
            part.fail(error)
    return [part for part in parts if part.prepared.call.pk not in lost]


def _send_one(part: _Part) -> None:
    try:
        part.answer.set_result(exchange(part.prepared))
    except LlmError as error:
        part.fail(error)


def _send_together(parts: Sequence[_Part], left: float) -> None:
    spec = parts[0].prepared.spec
    request = build_shared_request(
        [part.prepared.request.brief for part in parts],
        workspace_id=parts[0].prepared.call.workspace_id,
        call_id=parts[0].prepared.call.pk,
        deadline_seconds=settings.MODEL_DEADLINE_SECONDS,
    )
    try:
        until = min(part.prepared.until for part in parts)
        completion = upstream.ask(within(request, until), spec, workspace_id=parts[0].prepared.call.workspace_id)
    except LlmError as error:
        for part, share in zip(parts, _shares(parts, error.usage, []), strict=True):
            _record_failure(part, error, share)
        return
    ids = part_ids(len(parts))
    texts = split_shared_reply(completion.text, ids, request.brief.fields)
    shares = _shares(parts, completion.usage, [texts.get(part_id, "") for part_id in ids])
    for part, part_id, share in zip(parts, ids, shares, strict=True):
        if part_id in texts:
            record_reply(part.prepared.call, completion, share)
            waited_ms = round((left - part.since) * 1000)
            part.answer.set_result(Answer(part.prepared.call, texts[part_id], len(parts) - 1, waited_ms))
        else:
            _record_failure(part, _no_text(completion.usage), share)


def _no_text(usage: Usage | None) -> LlmError:
    return LlmError(
        "malformed",
        "The shared reply held no text for this product.",
        retryable=True,
        usage=usage,
        may_have_been_charged=usage is None,
    )


def _record_failure(part: _Part, error: LlmError, share: Share | None) -> None:
    own = (PartLost if error.kind in _ONES_FAULT else LlmError)(
        error.kind,
        error.message,
        retryable=error.retryable,
        retry_after=error.retry_after,
        usage=share.usage if share else None,
        may_have_been_charged=error.may_have_been_charged,
    )
    record_failure(part.prepared.call, own, share)
    part.fail(own)


def _shares(parts: Sequence[_Part], usage: Usage | None, texts: Sequence[str]) -> Sequence[Share | None]:
    """What is common to all is shared evenly, the rest by size. None for each when the usage is not known."""
    if usage is None:
        return [None] * len(parts)
    return share_out(
        usage,
        parts[0].prepared.spec.price,
        prompts=[input_bytes(part.prepared.request) for part in parts],
        replies=[len(text.encode()) for text in texts] or [1] * len(parts),
        ceilings=[part.prepared.call.ceiling_nanos for part in parts],
    )
