"""The offline writer: a plain, true description from the facts alone; no network, no model, no cost."""

from __future__ import annotations

import re
import time

from generation.llm.providers.offline.composing import compose_reply
from generation.llm.providers.offline.wishes import CannotFollow, most_words, with_wishes
from generation.llm.types import Completion, Endpoint, ModelSpec, OnText, Request, Usage

_SENTENCE = re.compile(r".+?(?:[.!?…](?=\s)\s*|\n+|$)", re.DOTALL)


def complete(request: Request, spec: ModelSpec, endpoint: Endpoint, on_text: OnText | None = None) -> Completion:
    started = time.monotonic()
    text = _reply(request)
    if on_text:
        for sentence in _SENTENCE.findall(text):
            on_text(sentence)
    return Completion(
        text=text,
        usage=Usage(),
        model_id=spec.model_id,
        finish_reason="end_turn",
        latency_ms=round((time.monotonic() - started) * 1000),
        provider_request_id=request.call_id,
    )


def _reply(request: Request) -> str:
    """What a conversation is about keeps its wording: only the wishes change it."""
    if not request.turns:
        return compose_reply(request.brief, request.variation)
    try:
        return compose_reply(with_wishes(request.brief), most_words=most_words(request.brief))
    except CannotFollow as reason:
        return str(reason)
