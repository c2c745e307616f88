"""A message as it is written: the same Message that a plain call brings, put together from its events."""

from __future__ import annotations

from anthropic.types import Message, RawMessageDeltaEvent, RawMessageStreamEvent, TextBlock, Usage
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming, MessageCreateParamsStreaming

from generation.llm.providers.anthropic.client import connected
from generation.llm.providers.failures import malformed
from generation.llm.providers.http import CALL_ID_HEADER, deadline
from generation.llm.types import Endpoint, OnText, Request

# Of what a last event counts, all is cumulative: it takes the place of what the first one said.
_COUNTED = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "output_tokens")


def receive(params: MessageCreateParamsNonStreaming, request: Request, endpoint: Endpoint, on_text: OnText) -> Message:
    """The message without a stop reason when the stream ended before it was told. Raises LlmError."""
    reply = _Reply(on_text)
    streamed: MessageCreateParamsStreaming = {**params, "stream": True}
    with deadline(request.deadline_seconds), connected(endpoint) as client:
        stream = client.messages.create(**streamed, extra_headers={CALL_ID_HEADER: request.call_id})
        with stream:
            for event in stream:
                reply.take(event)
            request_id = stream.response.headers.get("request-id")
    message = reply.message()
    message._request_id = request_id
    return message


class _Reply:
    def __init__(self, on_text: OnText) -> None:
        self._on_text = on_text
        self._begun: Message | None = None
        self._pieces: list[str] = []
        self._is_counted = False

    def take(self, event: RawMessageStreamEvent) -> None:
        if event.type == "message_start":
            self._begun = event.message
        elif event.type == "content_block_delta" and event.delta.type == "text_delta":
            self._pieces.append(event.delta.text)
            self._on_text(event.delta.text)
        elif event.type == "message_delta" and self._begun:
            self._end(self._begun, event)

    def _end(self, begun: Message, event: RawMessageDeltaEvent) -> None:
        self._is_counted = True
        begun.stop_reason = event.delta.stop_reason
        for name in _COUNTED:
            told = getattr(event.usage, name, None)
            if told is not None and isinstance(begun.usage, Usage):
                setattr(begun.usage, name, told)

    def message(self) -> Message:
        if not isinstance(self._begun, Message):
            raise malformed("The provider's stream held no message.")
        if not self._is_counted:  # what the first event counts is the beginning of a text
            self._begun.usage = None  # type: ignore[assignment]
        self._begun.content = [TextBlock(type="text", text="".join(self._pieces))]
        return self._begun
