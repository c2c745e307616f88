from __future__ import annotations

from collections.abc import AsyncGenerator, Callable

from django.http import HttpResponse

Events = Callable[[], AsyncGenerator[bytes, None]]


class EventStream(HttpResponse):
    """A reply of server-sent events that takes no thread: the view says who may read, then `contentopt.front` sends
    what `events` brings, on its event loop. `events` must not touch PostgreSQL, nor anything else that blocks.
    """

    def __init__(self, events: Events, *, headers: dict[str, str] | None = None) -> None:
        super().__init__(content_type="text/event-stream; charset=utf-8", headers=headers)
        self["Cache-Control"] = "no-store"
        self["X-Accel-Buffering"] = "no"  # nginx and its kin would hold events back
        self.events = events
