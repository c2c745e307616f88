"""HTTP under the vendor SDKs: explicit timeouts, and a wall-clock deadline that a slow reply cannot stretch."""

from __future__ import annotations

import atexit
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import httpx2

TIMEOUT = httpx2.Timeout(connect=5, read=60, write=30, pool=5)
# As many as a process has threads for streams; how many a provider gets at once is decided before.
LIMITS = httpx2.Limits(max_connections=2_000, max_keepalive_connections=20)
BATCH_SECONDS = 120  # to send a batch's lines or to read its results
CALL_ID_HEADER = "X-Client-Request-Id"

_deadline: ContextVar[float] = ContextVar("deadline")


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Bound everything that is sent and read inside, in wall-clock time."""
    token = _deadline.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _deadline.reset(token)


def _remaining(request: httpx2.Request) -> float:
    remaining = _deadline.get() - time.monotonic()
    if remaining <= 0:
        raise httpx2.ReadTimeout("The deadline has passed.", request=request)
    return remaining


def _shorten_timeouts(request: httpx2.Request) -> None:
    remaining = _remaining(request)
    timeouts = request.extensions.get("timeout", {})
    request.extensions["timeout"] = {name: min(value or remaining, remaining) for name, value in timeouts.items()}


class _DeadlineStream(httpx2.SyncByteStream):
    """A read timeout is per chunk, so a body that trickles in would never run into it."""

    def __init__(self, stream: httpx2.SyncByteStream, request: httpx2.Request) -> None:
        self._stream = stream
        self._request = request

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._stream:
            _remaining(self._request)
            yield chunk

    def close(self) -> None:
        self._stream.close()


def _watch_body(response: httpx2.Response) -> None:
    if isinstance(response.stream, httpx2.SyncByteStream):
        response.stream = _DeadlineStream(response.stream, response.request)


def open_client() -> httpx2.Client:
    """Redirects are not followed: a key must not travel to an address nobody configured."""
    client = httpx2.Client(
        timeout=TIMEOUT,
        limits=LIMITS,
        follow_redirects=False,
        event_hooks={"request": [_shorten_timeouts], "response": [_watch_body]},
    )
    atexit.register(client.close)
    return client
