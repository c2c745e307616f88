from __future__ import annotations

import time

from anthropic.types import Message, MessageParam, TextBlock, TextBlockParam
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming

from generation.llm.providers.anthropic.client import connected
from generation.llm.providers.anthropic.streaming import receive
from generation.llm.providers.anthropic.usage import normalise_usage
from generation.llm.providers.failures import malformed
from generation.llm.providers.http import CALL_ID_HEADER, deadline
from generation.llm.providers.outcomes import Ending, require_complete
from generation.llm.types import Completion, Endpoint, ModelSpec, OnText, Request, Usage

ENDINGS: dict[str, Ending] = {
    "end_turn": "complete",
    "stop_sequence": "complete",
    "max_tokens": "cut",
    "model_context_window_exceeded": "cut",
    "refusal": "refused",
}


def complete(request: Request, spec: ModelSpec, endpoint: Endpoint, on_text: OnText | None = None) -> Completion:
    started = time.monotonic()
    message = _ask(request, spec, endpoint, on_text)
    latency_ms = round((time.monotonic() - started) * 1000)
    return read_message(message, normalise_usage(message.usage), latency_ms, message._request_id)


def read_message(message: Message, usage: Usage | None, latency_ms: int, request_id: str | None) -> Completion:
    """Raises LlmError unless it is whole."""
    text = _text(message)
    require_complete(text, message.stop_reason, ENDINGS, usage)
    return Completion(
        text=text,
        usage=usage,
        model_id=message.model or "",
        finish_reason=message.stop_reason or "",
        latency_ms=latency_ms,
        provider_request_id=request_id or message.id or "",
    )


def build_params(request: Request, spec: ModelSpec) -> MessageCreateParamsNonStreaming:
    params: MessageCreateParamsNonStreaming = {
        "model": spec.model_id,
        "max_tokens": min(request.max_tokens, spec.max_output_tokens),
        "system": _system(request),
        "messages": _messages(request),
        # The price of any other tier is not the one a budget was held for.
        "service_tier": "standard_only",
    }
    if request.reply_schema and spec.capabilities.structured_output:
        params["output_config"] = {"format": {"type": "json_schema", "schema": dict(request.reply_schema)}}
    return params


def _system(request: Request) -> list[TextBlockParam]:
    blocks: list[TextBlockParam] = [{"type": "text", "text": part} for part in (request.system, request.context)]
    for block in blocks[: request.cached_parts]:
        block["cache_control"] = {"type": "ephemeral"}
    return blocks


def _messages(request: Request) -> list[MessageParam]:
    messages: list[MessageParam] = [{"role": "user", "content": request.prompt}]
    for turn in request.turns:
        messages += [{"role": "assistant", "content": turn.text}, {"role": "user", "content": turn.wish}]
    return messages


def _text(message: Message) -> str:
    return "".join(block.text for block in message.content or () if isinstance(block, TextBlock)).strip()


def _ask(request: Request, spec: ModelSpec, endpoint: Endpoint, on_text: OnText | None) -> Message:
    params = build_params(request, spec)
    if on_text:
        return receive(params, request, endpoint, on_text)
    with deadline(request.deadline_seconds), connected(endpoint) as client:
        message = client.messages.create(**params, extra_headers={CALL_ID_HEADER: request.call_id})
    if not isinstance(message, Message):
        raise malformed("The provider's answer is not a message.")
    return message
