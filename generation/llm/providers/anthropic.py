"""Anthropic's Messages API."""

from __future__ import annotations

import os
import time
from functools import lru_cache

import anthropic
from anthropic.types import Message, TextBlock
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming

from generation.llm.errors import LlmError
from generation.llm.providers.failures import RAW_ERRORS, malformed, status_failure, transport_failure
from generation.llm.providers.http import CALL_ID_HEADER, deadline, open_client
from generation.llm.providers.outcomes import Ending, count, part, require_complete
from generation.llm.types import Completion, Endpoint, ModelSpec, Request, Usage

ENDINGS: dict[str, Ending] = {
    "end_turn": "complete",
    "stop_sequence": "complete",
    "max_tokens": "cut",
    "model_context_window_exceeded": "cut",
    "refusal": "refused",
}


def complete(request: Request, spec: ModelSpec, endpoint: Endpoint) -> Completion:
    started = time.monotonic()
    message = _send(request, spec, endpoint)
    usage = normalise_usage(message.usage)
    text = _text(message)
    require_complete(text, message.stop_reason, ENDINGS, usage)
    return Completion(
        text=text,
        usage=usage,
        model_id=message.model or spec.model_id,
        finish_reason=message.stop_reason or "",
        latency_ms=round((time.monotonic() - started) * 1000),
        provider_request_id=message._request_id or message.id or "",
    )


def build_params(request: Request, spec: ModelSpec) -> MessageCreateParamsNonStreaming:
    return {
        "model": spec.model_id,
        "max_tokens": min(request.max_tokens, spec.max_output_tokens),
        "system": request.system,
        "messages": [{"role": "user", "content": request.prompt}],
        # The price of any other tier is not the one a budget was held for.
        "service_tier": "standard_only",
    }


def normalise_usage(usage: object) -> Usage | None:
    """None when the counts that set the price are missing."""
    given, written = count(getattr(usage, "input_tokens", None)), count(getattr(usage, "output_tokens", None))
    if given is None or written is None:
        return None
    split = getattr(usage, "cache_creation", None)
    short, long = part(split, "ephemeral_5m_input_tokens"), part(split, "ephemeral_1h_input_tokens")
    # Cache writes whose lifetime is not told are billed as the dearer ones.
    unsplit = max(part(usage, "cache_creation_input_tokens") - short - long, 0)
    return Usage(
        input_uncached=given,
        input_cached=part(usage, "cache_read_input_tokens"),
        cache_write_short=short,
        cache_write_long=long + unsplit,
        output=written,
        reasoning=part(getattr(usage, "output_tokens_details", None), "thinking_tokens"),
        tier=_tier(usage),
    )


def _tier(usage: object) -> str:
    if getattr(usage, "speed", None) == "fast":
        return "fast"
    return getattr(usage, "service_tier", None) or "standard"


def _text(message: Message) -> str:
    return "".join(block.text for block in message.content or () if isinstance(block, TextBlock)).strip()


def _send(request: Request, spec: ModelSpec, endpoint: Endpoint) -> Message:
    if not endpoint.api_key:
        raise LlmError("auth", "There is no key for this provider.", retryable=False)
    try:
        with deadline(request.deadline_seconds):
            message = _client(endpoint, os.getpid()).messages.create(
                **build_params(request, spec), extra_headers={CALL_ID_HEADER: request.call_id}
            )
    except anthropic.APIStatusError as error:
        raise status_failure(error.status_code, error.response.headers, error.body) from None
    except (anthropic.AnthropicError, *RAW_ERRORS) as error:
        raise transport_failure(error) from None
    if not isinstance(message, Message):
        raise malformed("The provider's answer is not a message.")
    return message


@lru_cache(maxsize=32)
def _client(endpoint: Endpoint, _pid: int) -> anthropic.Anthropic:
    """One a process: connections must not be shared across a fork."""
    return anthropic.Anthropic(
        api_key=endpoint.api_key,
        base_url=endpoint.base_url or None,
        max_retries=0,
        http_client=open_client(),
    )
