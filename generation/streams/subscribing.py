"""The readers' side, on the event loop of a web process: one connection to Valkey for all streams that are open there.

All of them are asked for in one command, as often as READ_SECONDS says, however much is written meanwhile. Whether a
stream has ended, PostgreSQL says: at once when its worker tells so, else within CHECK_SECONDS. So often it is asked too
who may no longer read: a member who was removed, a key that was revoked.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

import django.db
import structlog
from django.conf import settings
from redis.asyncio import Redis
from redis.exceptions import RedisError

from accounts import admission
from accounts.admission import Admission
from contentopt.jobs import UNFINISHED
from contentopt.tenancy import across_workspaces
from generation.models import Stream
from generation.streams.events import END, HEARTBEAT, RETRY, Position, event_of, key_of, position_of

log = structlog.get_logger()

T = TypeVar("T")

READ_SECONDS = 0.03
CHECK_SECONDS = 2.0
# For the last pieces, where PostgreSQL was first to say that it is over.
LAST_PIECES_SECONDS = 0.5
HEARTBEAT_SECONDS = 15.0
AFTER_AN_ERROR_SECONDS = 1.0


class ShutOut(Exception):
    """The reader may not read on; they are not told how it ends."""


def subscribe(stream_id: UUID, admitted: Admission, last_event_id: str = "") -> AsyncGenerator[bytes, None]:
    """What a reader does not have yet, as it comes, until PostgreSQL knows the end. How it ended is left to tell.
    Raises ShutOut."""
    return _hub().subscribe(stream_id, admitted, position_of(last_event_id))


@dataclass(slots=True, eq=False)
class _Reader:
    position: Position
    admitted: Admission
    waiting: list[bytes] = field(default_factory=lambda: [RETRY])
    is_over: bool = False
    is_shut_out: bool = False
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    told_at: float = field(default_factory=time.monotonic)

    def give(self, data: bytes) -> None:
        self.waiting.append(data)
        self.told_at = time.monotonic()
        self.woken.set()

    def end(self) -> None:
        self.is_over = True
        self.woken.set()

    def shut_out(self) -> None:
        self.is_shut_out = True
        self.waiting.clear()
        self.end()

    async def events(self) -> AsyncGenerator[bytes, None]:
        while self.waiting or not self.is_over:
            if self.waiting:
                together, self.waiting = b"".join(self.waiting), []
                yield together
            else:
                self.woken.clear()
                await self.woken.wait()
        if self.is_shut_out:
            raise ShutOut


@dataclass(slots=True, eq=False)
class _Open:
    """A stream and its readers."""

    key: str
    readers: list[_Reader] = field(default_factory=list)

    def position(self) -> str:
        return "{}-{}".format(*min(reader.position for reader in self.readers))

    def deliver(self, entries: Iterable[tuple[bytes, dict[bytes, bytes]]]) -> bool:
        """Whether its worker says that it is over."""
        is_over = False
        for entry_id, entry in entries:
            is_over = is_over or END in entry
            position, data = position_of(entry_id.decode()), event_of(entry_id, entry)
            for reader in self.readers:
                if reader.position < position:
                    reader.position = position
                    if data:
                        reader.give(data)
        return is_over

    def end(self) -> None:
        for reader in self.readers:
            reader.end()


class Hub:
    """The streams that are open in this process."""

    def __init__(self, redis_url: str, heartbeat_seconds: float = HEARTBEAT_SECONDS) -> None:
        # A socket's time-out only: nothing here waits for an entry.
        self._redis = Redis.from_url(redis_url, socket_timeout=2, socket_connect_timeout=2)
        self._heartbeat_seconds = heartbeat_seconds
        self._open: dict[UUID, _Open] = {}
        self._said_over: set[UUID] = set()
        self._tasks: list[asyncio.Task[None]] = []

    async def subscribe(self, stream_id: UUID, admitted: Admission, position: Position) -> AsyncGenerator[bytes, None]:
        reader = _Reader(position, admitted)
        stream = self._open.setdefault(stream_id, _Open(key_of(stream_id)))
        stream.readers.append(reader)
        if not self._tasks:
            # Kept: the loop itself does not hold on to its tasks.
            self._tasks = [asyncio.create_task(self._keep_reading()), asyncio.create_task(self._keep_checking())]
        try:
            async with contextlib.aclosing(reader.events()) as events:
                async for some in events:
                    yield some
        finally:
            stream.readers.remove(reader)
            if not stream.readers and self._open.get(stream_id) is stream:
                del self._open[stream_id]

    async def _keep_reading(self) -> None:
        while _is_wanted():
            pause = READ_SECONDS
            if self._open:
                try:
                    await self._read()
                except RedisError as error:
                    log.debug("streams_not_read", error=type(error).__name__)
                    pause = AFTER_AN_ERROR_SECONDS
            await asyncio.sleep(pause)

    async def _read(self) -> None:
        by_key = {stream.key.encode(): stream_id for stream_id, stream in self._open.items()}
        positions: Any = {stream.key: stream.position() for stream in self._open.values()}
        read: Any = await self._redis.xread(positions)
        for key, entries in read or ():
            stream_id = by_key[key]
            if (stream := self._open.get(stream_id)) and stream.deliver(entries):
                self._said_over.add(stream_id)

    async def _keep_checking(self) -> None:
        checked_at = 0.0
        while _is_wanted():
            now = time.monotonic()
            said_over, self._said_over = self._said_over & self._open.keys(), set()
            for stream_id in await self._finished(said_over):
                self._end(stream_id)
            if now - checked_at >= CHECK_SECONDS:
                checked_at = now
                self._reassure(now)
                await self._turn_away()
                for stream_id in await self._finished(set(self._open)):
                    asyncio.get_running_loop().call_later(LAST_PIECES_SECONDS, self._end, stream_id)
            await asyncio.sleep(READ_SECONDS)

    async def _finished(self, stream_ids: set[UUID]) -> set[UUID]:
        return await self._ask(_finished, stream_ids)

    async def _ask(self, which: Callable[[set[T]], set[T]], those: set[T]) -> set[T]:
        """PostgreSQL, on a thread. None while it is away."""
        if not those:
            return set()
        try:
            return await asyncio.to_thread(which, those)
        except django.db.Error as error:
            log.warning("streams_not_checked", error=type(error).__name__)
            return set()

    async def _turn_away(self) -> None:
        readers = [reader for stream in self._open.values() for reader in stream.readers]
        ended = await self._ask(_ended, {reader.admitted for reader in readers})
        for reader in readers:
            if reader.admitted in ended:
                reader.shut_out()

    def _end(self, stream_id: UUID) -> None:
        if stream := self._open.get(stream_id):
            stream.end()

    def _reassure(self, now: float) -> None:
        """Who has not heard anything for long, or a proxy between, might take the line for dead."""
        for stream in self._open.values():
            for reader in stream.readers:
                if now - reader.told_at >= self._heartbeat_seconds:
                    reader.give(HEARTBEAT)


def _is_wanted() -> bool:
    """Whether nobody has cancelled this task. To be told by CancelledError alone is not enough: `wait_for` of Python
    3.11, with which redis-py sends, loses it where it is done at that moment (python/cpython#86296)."""
    task = asyncio.current_task()
    return task is not None and not task.cancelling()


def _ended(admissions: set[Admission]) -> set[Admission]:
    try:
        return admission.ended(admissions)
    finally:
        django.db.close_old_connections()


@across_workspaces()
def _finished(stream_ids: set[UUID]) -> set[UUID]:
    """One that is gone has ended too."""
    try:
        unfinished = Stream._base_manager.filter(pk__in=stream_ids, state__in=UNFINISHED)
        return stream_ids - set(unfinished.values_list("pk", flat=True))
    finally:
        django.db.close_old_connections()


_hubs: dict[asyncio.AbstractEventLoop, Hub] = {}


def _hub() -> Hub:
    """One for an event loop, of which a web process has one."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        _hubs[loop] = Hub(settings.REDIS_URL)
    return _hubs[loop]
