"""A completion as it is written: the same ChatCompletion that a plain call brings, put together from its chunks."""

from __future__ import annotations

from openai.types import CompletionUsage
from openai.types.chat import ChatCompletion, ChatCompletionChunk, ChatCompletionMessage
from openai.types.chat.chat_completion import Choice
from openai.types.chat.completion_create_params import (
    CompletionCreateParamsNonStreaming,
    CompletionCreateParamsStreaming,
)

from generation.llm.providers.failures import malformed
from generation.llm.providers.http import CALL_ID_HEADER, deadline
from generation.llm.providers.openai.client import connected
from generation.llm.types import Endpoint, OnText, Request


def receive(
    params: CompletionCreateParamsNonStreaming,
    request: Request,
    endpoint: Endpoint,
    on_text: OnText,
    *,
    is_usage_asked: bool,
) -> ChatCompletion:
    """The completion without a finish reason when the stream ended before it was told. Raises LlmError."""
    reply = _Reply(on_text)
    streamed: CompletionCreateParamsStreaming = {**params, "stream": True}
    if is_usage_asked:
        streamed["stream_options"] = {"include_usage": True}
    with deadline(request.deadline_seconds), connected(endpoint) as client:
        stream = client.chat.completions.create(**streamed, extra_headers={CALL_ID_HEADER: request.call_id})
        with stream:
            for chunk in stream:
                reply.take(chunk)
            request_id = stream.response.headers.get("x-request-id")
    completion = reply.completion()
    completion._request_id = request_id
    return completion


class _Reply:
    def __init__(self, on_text: OnText) -> None:
        self._on_text = on_text
        self._last: ChatCompletionChunk | None = None
        self._pieces: list[str] = []
        self._refusal = ""
        self._reason: str | None = None
        self._usage: CompletionUsage | None = None
        self._service_tier: str | None = None

    def take(self, chunk: ChatCompletionChunk) -> None:
        self._last = chunk
        self._usage = chunk.usage or self._usage
        self._service_tier = chunk.service_tier or self._service_tier
        for choice in (chunk.choices or ())[:1]:  # the one with the usage has none
            self._reason = choice.finish_reason or self._reason
            self._refusal += choice.delta.refusal or ""
            if choice.delta.content:
                self._pieces.append(choice.delta.content)
                self._on_text(choice.delta.content)

    def completion(self) -> ChatCompletion:
        if self._last is None:
            raise malformed("The provider's stream held nothing.")
        message = ChatCompletionMessage(role="assistant", content="".join(self._pieces), refusal=self._refusal or None)
        # Past validation: other vendors have words of their own for what is read elsewhere.
        choice = Choice.construct(index=0, finish_reason=self._reason, message=message, logprobs=None)
        return ChatCompletion.construct(
            id=self._last.id,
            model=self._last.model,
            created=self._last.created,
            object="chat.completion",
            choices=[choice],
            usage=self._usage,
            service_tier=self._service_tier,
        )
