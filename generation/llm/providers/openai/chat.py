from __future__ import annotations

import hashlib
import time

from openai.types.chat import (
    ChatCompletion,
    ChatCompletionContentPartTextParam,
    ChatCompletionMessage,
    ChatCompletionMessageParam,
)
from openai.types.chat.chat_completion import Choice
from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming
from openai.types.shared_params.response_format_json_schema import JSONSchema

from generation.llm.providers.failures import malformed
from generation.llm.providers.http import CALL_ID_HEADER, deadline
from generation.llm.providers.openai.client import connected
from generation.llm.providers.openai.streaming import receive
from generation.llm.providers.openai.usage import normalise_usage
from generation.llm.providers.outcomes import Ending, require_complete
from generation.llm.types import Completion, Endpoint, ModelSpec, OnText, Request, Usage

ENDINGS: dict[str, Ending] = {"stop": "complete", "length": "cut", "content_filter": "refused"}


def complete(request: Request, spec: ModelSpec, endpoint: Endpoint, on_text: OnText | None = None) -> Completion:
    started = time.monotonic()
    reply = _ask(request, spec, endpoint, on_text)
    latency_ms = round((time.monotonic() - started) * 1000)
    return read_chat(reply, normalise_usage(reply.usage, reply.service_tier), latency_ms, reply._request_id)


def read_chat(reply: ChatCompletion, usage: Usage | None, latency_ms: int, request_id: str | None) -> Completion:
    """Raises LlmError unless it is whole."""
    choice = _only_choice(reply)
    text = _text(choice.message)
    reason = "content_filter" if choice.message.refusal else choice.finish_reason
    require_complete(text, reason, ENDINGS, usage)
    return Completion(
        text=text,
        usage=usage,
        model_id=reply.model or "",
        finish_reason=reason,
        latency_ms=latency_ms,
        provider_request_id=request_id or reply.id or "",
    )


def build_params(request: Request, spec: ModelSpec) -> CompletionCreateParamsNonStreaming:
    params: CompletionCreateParamsNonStreaming = {
        "model": spec.model_id,
        "messages": _messages(request),
    }
    params[spec.quirks.output_limit] = min(request.max_tokens, spec.max_output_tokens)
    if spec.quirks.knows_prompt_cache_key:
        _choose_caching(params, request, spec)
    if spec.quirks.knows_service_tier:
        # The price of any other tier is not the one a budget was held for.
        params["service_tier"] = "default"
    if request.reply_schema and spec.capabilities.structured_output:
        shape: JSONSchema = {"name": "reply", "strict": True, "schema": dict(request.reply_schema)}
        params["response_format"] = {"type": "json_schema", "json_schema": shape}
    return params


def _messages(request: Request) -> list[ChatCompletionMessageParam]:
    """One system message: templates of many servers know only one."""
    messages: list[ChatCompletionMessageParam] = [
        {"role": "system", "content": request.beginnings[-1]},
        {"role": "user", "content": request.prompt},
    ]
    for turn in request.turns:
        messages += [{"role": "assistant", "content": turn.text}, {"role": "user", "content": turn.wish}]
    return messages


def _choose_caching(params: CompletionCreateParamsNonStreaming, request: Request, spec: ModelSpec) -> None:
    """Models that charge for writing to the cache write what is marked, not every prompt whole; others keep what they
    like for nothing. The key brings all that begin alike to one machine, as long as one is enough for them."""
    params["prompt_cache_key"] = hashlib.sha256(request.system.encode()).hexdigest()[:32]
    if spec.price.cache_write_short <= spec.price.input:
        return
    params["prompt_cache_options"] = {"mode": "explicit"}
    system: list[ChatCompletionContentPartTextParam] = [
        {"type": "text", "text": f"{request.system}\n\n"},
        {"type": "text", "text": request.context},
    ]
    for part in system[: request.cached_parts]:
        part["prompt_cache_breakpoint"] = {"mode": "explicit"}
    params["messages"] = [{"role": "system", "content": system}, *_messages(request)[1:]]


def _only_choice(reply: ChatCompletion) -> Choice:
    choice = next(iter(reply.choices or ()), None)
    if not isinstance(choice, Choice) or not isinstance(choice.message, ChatCompletionMessage):
        raise malformed("The provider's answer holds no message.")
    return choice


def _text(message: ChatCompletionMessage) -> str:
    return message.content.strip() if isinstance(message.content, str) else ""


def _ask(request: Request, spec: ModelSpec, endpoint: Endpoint, on_text: OnText | None) -> ChatCompletion:
    params = build_params(request, spec)
    if on_text:
        return receive(params, request, endpoint, on_text, is_usage_asked=spec.quirks.knows_stream_options)
    with deadline(request.deadline_seconds), connected(endpoint) as client:
        reply = client.chat.completions.create(**params, extra_headers={CALL_ID_HEADER: request.call_id})
    if not isinstance(reply, ChatCompletion):
        raise malformed("The provider's answer is not a chat completion.")
    return reply
