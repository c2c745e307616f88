"""OpenAI's Chat Completions API, which most other vendors and local servers speak too."""

from __future__ import annotations

import os
import time
from functools import lru_cache

import openai
from openai.types.chat import ChatCompletion, ChatCompletionMessage
from openai.types.chat.chat_completion import Choice
from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming

from generation.llm.errors import LlmError
from generation.llm.providers.failures import RAW_ERRORS, malformed, status_failure, transport_failure
from generation.llm.providers.http import CALL_ID_HEADER, deadline, open_client
from generation.llm.providers.outcomes import Ending, count, part, require_complete
from generation.llm.types import Completion, Endpoint, ModelSpec, Request, Usage

ENDINGS: dict[str, Ending] = {"stop": "complete", "length": "cut", "content_filter": "refused"}

# The vendor itself, as against others that speak its API.
VENDOR = "openai"
_STANDARD_TIERS = frozenset({"", "auto", "default", "scale"})


def complete(request: Request, spec: ModelSpec, endpoint: Endpoint) -> Completion:
    started = time.monotonic()
    reply = _send(request, spec, endpoint)
    usage = normalise_usage(reply.usage, reply.service_tier)
    choice = _only_choice(reply)
    text = _text(choice.message)
    reason = "content_filter" if choice.message.refusal else choice.finish_reason
    require_complete(text, reason, ENDINGS, usage)
    return Completion(
        text=text,
        usage=usage,
        model_id=reply.model or spec.model_id,
        finish_reason=reason,
        latency_ms=round((time.monotonic() - started) * 1000),
        provider_request_id=reply._request_id or reply.id or "",
    )


def build_params(request: Request, spec: ModelSpec) -> CompletionCreateParamsNonStreaming:
    params: CompletionCreateParamsNonStreaming = {
        "model": spec.model_id,
        "max_completion_tokens": min(request.max_tokens, spec.max_output_tokens),
        "messages": [{"role": "system", "content": request.system}, {"role": "user", "content": request.prompt}],
    }
    if spec.provider == VENDOR:
        # The price of any other tier is not the one a budget was held for. Compatible servers may not know the field.
        params["service_tier"] = "default"
    return params


def normalise_usage(usage: object, service_tier: str | None = None) -> Usage | None:
    """None when the counts that set the price are missing."""
    given, written = count(getattr(usage, "prompt_tokens", None)), count(getattr(usage, "completion_tokens", None))
    if given is None or written is None:
        return None
    details = getattr(usage, "prompt_tokens_details", None)
    cached, cache_write = part(details, "cached_tokens"), part(details, "cache_write_tokens")
    uncached = given - cached - cache_write
    return Usage(
        # Parts larger than their total cannot lie inside it: then they come on top, the dearer reading.
        input_uncached=uncached if uncached >= 0 else given,
        input_cached=cached,
        cache_write_short=cache_write,
        output=written,
        reasoning=part(getattr(usage, "completion_tokens_details", None), "reasoning_tokens"),
        tier="standard" if (service_tier or "") in _STANDARD_TIERS else str(service_tier),
    )


def _only_choice(reply: ChatCompletion) -> Choice:
    choice = next(iter(reply.choices or ()), None)
    if not isinstance(choice, Choice) or not isinstance(choice.message, ChatCompletionMessage):
        raise malformed("The provider's answer holds no message.")
    return choice


def _text(message: ChatCompletionMessage) -> str:
    return message.content.strip() if isinstance(message.content, str) else ""


def _send(request: Request, spec: ModelSpec, endpoint: Endpoint) -> ChatCompletion:
    if not endpoint.api_key:
        raise LlmError("auth", "There is no key for this provider.", retryable=False)
    try:
        with deadline(request.deadline_seconds):
            reply = _client(endpoint, os.getpid()).chat.completions.create(
                **build_params(request, spec), extra_headers={CALL_ID_HEADER: request.call_id}
            )
    except openai.APIStatusError as error:
        raise status_failure(error.status_code, error.response.headers, error.body) from None
    except (openai.OpenAIError, *RAW_ERRORS) as error:
        raise transport_failure(error) from None
    if not isinstance(reply, ChatCompletion):
        raise malformed("The provider's answer is not a chat completion.")
    return reply


@lru_cache(maxsize=32)
def _client(endpoint: Endpoint, _pid: int) -> openai.OpenAI:
    """One a process: connections must not be shared across a fork."""
    return openai.OpenAI(
        api_key=endpoint.api_key,
        base_url=endpoint.base_url or None,
        max_retries=0,
        http_client=open_client(),
    )
