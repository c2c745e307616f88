"""The offline writer: a plain, true description from the facts alone; no network, no model, no cost."""

from __future__ import annotations

import time

from generation.llm.providers.offline.composing import compose_reply
from generation.llm.types import Completion, Endpoint, ModelSpec, Request, Usage


def complete(request: Request, spec: ModelSpec, endpoint: Endpoint) -> Completion:
    started = time.monotonic()
    text = compose_reply(request.brief, request.variation)
    return Completion(
        text=text,
        usage=Usage(),
        model_id=spec.model_id,
        finish_reason="end_turn",
        latency_ms=round((time.monotonic() - started) * 1000),
        provider_request_id=request.call_id,
    )
