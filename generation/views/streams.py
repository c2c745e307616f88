"""A text as it is written, for the page that shows it. How it ended, the page asks for itself."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from functools import partial
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse

from accounts.admission import Admission
from accounts.middleware import WorkspaceRequest
from accounts.models import Scope
from accounts.permissions import require_scope
from contentopt.events import EventStream
from generation.models import Stream
from generation.streams.events import event
from generation.streams.subscribing import ShutOut, subscribe

ENDED = event("done", {})
EVENT_STREAM = "text/event-stream; charset=utf-8"


@require_scope(Scope.READ)
def stream(request: WorkspaceRequest, slug: str, pk: UUID) -> HttpResponse:
    found = Stream.objects.in_workspace(request.workspace).filter(pk=pk).first()
    if found is None:
        raise Http404
    return stream_reply(request, found, Admission(membership_id=request.membership.pk))


def stream_reply(request: HttpRequest, found: Stream, admitted: Admission) -> HttpResponse:
    if found.is_finished:
        return HttpResponse(ENDED, content_type=EVENT_STREAM, headers={"Cache-Control": "no-store"})
    return EventStream(partial(_events, found.pk, admitted, request.headers.get("Last-Event-ID", "")))


async def _events(stream_id: UUID, admitted: Admission, last_event_id: str) -> AsyncGenerator[bytes, None]:
    # Whoever is shut out is told nothing; the browser asks once more, and is refused.
    with contextlib.suppress(ShutOut):
        async with contextlib.aclosing(subscribe(stream_id, admitted, last_event_id)) as pieces:
            async for piece in pieces:
                yield piece
        yield ENDED
