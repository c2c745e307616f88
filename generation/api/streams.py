"""A description as server-sent events: `text`, again and again, then `done` or `error`.

text     {"text": "The Linen Apron "}    what the model writes, not checked yet
restart  {}                              what was told so far is void: the text is written anew
done     the reply of `create_description`: this text is checked, stored and charged
error    the API's one error shape
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from functools import partial
from typing import Any
from uuid import UUID

from django.db import close_old_connections
from django.http import HttpResponse
from django.urls import reverse
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from contentopt.errors import DomainError, error_body
from contentopt.events import EventStream
from contentopt.jobs import JobState
from generation.api.base import WorkspaceAPIView
from generation.api.document import EVENT_STREAM, operation
from generation.api.explaining import explanation_of
from generation.api.texts import text_reply
from generation.models import Stream, Text
from generation.streams.events import event
from generation.streams.subscribing import subscribe

LAST_EVENT_ID = OpenApiParameter(
    "Last-Event-ID", str, "header", description="Of the last event that was received; only later ones are sent."
)


def is_stream_wanted(request: Any) -> bool:
    return EVENT_STREAM in request.headers.get("Accept", "")


class StreamedView(WorkspaceAPIView):
    """Replies with events to those who accept them. Refusals are JSON all the same."""

    @property
    def is_told_as_events(self) -> bool:
        return is_stream_wanted(self.request)

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        if is_stream_wanted(request):
            renderer = self.get_renderers()[0]
            return renderer, renderer.media_type
        return super().perform_content_negotiation(request, force)


class OneStream(StreamedView):
    @operation("read_stream", replies={(200, EVENT_STREAM): str}, query=LAST_EVENT_ID, errors=[404])
    def get(self, request: Request, pk: str) -> HttpResponse:
        """Read along again, after the connection broke or from elsewhere, for up to two days."""
        return stream_reply(self.find(Stream.objects.select_related("text"), pk), last_event_id_of(request))


def last_event_id_of(request: Any) -> str:
    told: str = request.headers.get("Last-Event-ID", "")
    return told


def stream_reply(stream: Stream, last_event_id: str = "") -> HttpResponse:
    """What the reader does not have yet; all at once when the stream has ended."""
    if not stream.is_finished:
        return EventStream(partial(_events, stream.pk, last_event_id), headers={"Content-Location": address_of(stream)})
    return known_reply(stream.text if not last_event_id else None, end_of(stream))


def address_of(stream: Stream) -> str:
    """Where it can be read again."""
    return reverse("api_stream", kwargs={"pk": stream.pk})


def known_reply(text: Text | None, end: bytes) -> HttpResponse:
    """The text in one piece, and the end."""
    content = (event("text", {"text": text.description}) if text else b"") + end
    return HttpResponse(content, content_type=f"{EVENT_STREAM}; charset=utf-8")


async def _events(stream_id: UUID, last_event_id: str) -> AsyncGenerator[bytes, None]:
    async with contextlib.aclosing(subscribe(stream_id, last_event_id)) as pieces:
        async for piece in pieces:
            yield piece
    yield await asyncio.to_thread(_read_end, stream_id)


def _read_end(stream_id: UUID) -> bytes:
    try:
        return end_of(Stream.objects.across_workspaces().select_related("text").get(pk=stream_id))
    except Stream.DoesNotExist:
        return _error(DomainError("The workspace or the product was deleted.", code="not_found", status=404))
    finally:
        close_old_connections()


def end_of(stream: Stream) -> bytes:
    if stream.state == JobState.DONE and stream.text:
        explanation = explanation_of(stream.text, is_wanted=stream.is_explained)
        return done(stream.text, stream.remaining, explanation)
    if stream.refusal:
        return _error(DomainError(**stream.refusal))
    return _error(DomainError(stream.failure or "The text was deleted.", code="failed"))


def done(text: Text, remaining: dict[str, Any], explanation: Any) -> bytes:
    """The reply of `create_description`."""
    return event("done", {**text_reply(text), "explanation": explanation, "remaining": remaining})


def _error(error: DomainError) -> bytes:
    wait = {"retry_after": error.retry_after} if error.retry_after else {}
    return event("error", error_body(error.code, error.message, {**wait, **error.details}))
