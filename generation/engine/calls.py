"""One upstream attempt, on the books before it is sent."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from generation.engine.routes import endpoint_for
from generation.facts import Brief
from generation.llm.errors import LlmError
from generation.llm.prices import ceiling_nanos, cost_nanos
from generation.llm.providers import complete
from generation.llm.types import Completion, ModelSpec, Request, Usage
from generation.models import LlmCall, RunItem
from generation.prompts import build_request


def request_ceiling(request: Request, spec: ModelSpec) -> int:
    """A token is at least one byte, so the bytes of a prompt bound its tokens from above."""
    if spec.price is None:
        return 0
    return ceiling_nanos(len((request.system + request.prompt).encode()), request.max_tokens, spec.price)


def call_model(
    brief: Brief,
    spec: ModelSpec,
    *,
    workspace_id: UUID,
    fingerprint: str,
    attempt: int,
    complaints: Sequence[str] = (),
    variation: int = 0,
    run_item: RunItem | None = None,
) -> tuple[LlmCall, Completion]:
    """Send one request and record what came of it. Raises LlmError after recording it."""
    call = LlmCall(
        workspace_id=workspace_id,
        fingerprint=fingerprint,
        run_item=run_item,
        provider=spec.provider,
        model_id=spec.model_id,
        tier=spec.tier,
        attempt=attempt,
        price_version=spec.price_version,
    )
    request = build_request(
        brief,
        call_id=call.pk,
        deadline_seconds=settings.MODEL_DEADLINE_SECONDS,
        complaints=complaints,
        variation=variation,
    )
    call.ceiling_nanos = request_ceiling(request, spec)
    call.save(force_insert=True)
    try:
        completion = complete(request, spec, endpoint_for(spec.kind))
    except LlmError as error:
        _record_failure(call, spec, error)
        raise
    _bill(call, spec, completion.usage)
    call.latency_ms = completion.latency_ms
    call.provider_request_id = completion.provider_request_id[:120]
    return call, completion


def close_call(call: LlmCall, outcome: LlmCall.Outcome, complaints: Sequence[str] = ()) -> None:
    call.outcome = outcome
    call.complaints = list(complaints)
    call.finished_at = timezone.now()
    call.save()


def _record_failure(call: LlmCall, spec: ModelSpec, error: LlmError) -> None:
    """A request that surely cost nothing is free; one whose cost is unknown counts at its ceiling."""
    call.error_kind = error.kind
    if error.usage is not None or error.may_have_been_charged:
        _bill(call, spec, error.usage)
    else:
        call.cost_is_exact = True
    close_call(call, LlmCall.Outcome.FAILED)


def _bill(call: LlmCall, spec: ModelSpec, usage: Usage | None) -> None:
    if usage is None:
        call.cost_nanos = call.ceiling_nanos
        return
    call.input_tokens = usage.input_uncached
    call.cached_tokens = usage.input_cached
    call.cache_write_tokens = usage.cache_write_short + usage.cache_write_long
    call.output_tokens = usage.output
    call.cost_nanos = cost_nanos(usage, spec.price) if spec.price else 0
    call.cost_is_exact = True
