"""Whatever goes to a provider goes through here."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

from django.conf import settings

from contentopt import connections
from generation import health
from generation.engine.prefixes import with_cache
from generation.engine.registry import endpoint_for
from generation.llm.batches import Line, Result, Status
from generation.llm.errors import LlmError
from generation.llm.providers import batch_api, complete
from generation.llm.types import Completion, ModelSpec, OnText, Request

LEAST_SECONDS = 5.0  # no attempt is begun with less: it would be paid for and not waited for


@contextmanager
def place(spec: ModelSpec, *, workspace_id: UUID, is_bulk: bool, until: float) -> Iterator[Callable[[float], None]]:
    """A place among the calls that the provider takes at a time, held while the block runs. Not inside a transaction.

    Raises LlmError, which costs nothing, when none was free until then (monotonic seconds) or the model is down. Gives
    a way to wait for so many seconds without it.
    """
    if spec.kind == "offline":
        yield connections.sleep
        return
    until -= LEAST_SECONDS
    if time.monotonic() > until:
        raise LlmError("busy", "There was no time left to ask the model.", retryable=True)
    with health.place(
        spec.provider, spec.concurrency, workspace_id=workspace_id, is_bulk=is_bulk, until=until
    ) as taken:
        health.admit(spec)
        yield taken.step_aside


def ask(request: Request, spec: ModelSpec, *, workspace_id: UUID, on_text: OnText | None = None) -> Completion:
    """One attempt at one text, on behalf of a workspace that has a place; streamed to `on_text` if the model can.

    Raises LlmError; never retries.
    """
    if not spec.capabilities.streaming:
        on_text = None
    try:
        completion = complete(with_cache(request, spec), spec, endpoint_for(spec.access), on_text)
    except LlmError as error:
        _report_failure(request, spec, error)
        raise
    if spec.kind != "offline":
        health.report(spec)
    return completion


def _report_failure(request: Request, spec: ModelSpec, error: LlmError) -> None:
    if error.kind == "timeout" and request.deadline_seconds < settings.MODEL_DEADLINE_SECONDS:
        return  # the time was ours that was short
    health.report(spec, error)


# --- Batches: each function as in generation.llm.batches.BatchApi -----------------------------------------------------


def create_batch(batch_id: UUID, lines: Sequence[Line], spec: ModelSpec) -> Status:
    try:
        return batch_api(spec.kind).create(str(batch_id), lines, endpoint_for(spec.access))
    except LlmError as error:
        health.report(spec, error)
        raise


def find_batch(
    batch_id: UUID, lines: int, spec: ModelSpec, *, since: datetime, others: Collection[str]
) -> Status | None:
    return batch_api(spec.kind).find(str(batch_id), lines, endpoint_for(spec.access), since=since, others=others)


def poll_batch(vendor_id: str, spec: ModelSpec) -> Status:
    return batch_api(spec.kind).poll(vendor_id, endpoint_for(spec.access))


def cancel_batch(vendor_id: str, spec: ModelSpec) -> None:
    batch_api(spec.kind).cancel(vendor_id, endpoint_for(spec.access))


def batch_results(vendor_id: str, spec: ModelSpec) -> list[Result]:
    return batch_api(spec.kind).results(vendor_id, endpoint_for(spec.access))
