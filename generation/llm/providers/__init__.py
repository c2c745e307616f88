from __future__ import annotations

from generation.llm.providers import anthropic, offline, openai
from generation.llm.types import Completion, Endpoint, ModelSpec, Request

_COMPLETE = {"anthropic": anthropic.complete, "openai": openai.complete, "offline": offline.complete}


def complete(request: Request, spec: ModelSpec, endpoint: Endpoint) -> Completion:
    """One attempt at one text. Raises LlmError; never retries."""
    return _COMPLETE[spec.kind](request, spec, endpoint)
