"""The worker's side: pieces of texts go to Valkey, those of all texts of the process in one round trip.

A piece waits for the last round trip and PAUSE_SECONDS at most, so a text that comes quickly goes out in few entries.
With Valkey away nobody waits: what was written meanwhile is told from the beginning once it is back.
"""

from __future__ import annotations

import functools
import os
import threading
import time
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import structlog
from django_redis import get_redis_connection
from redis.exceptions import RedisError, ResponseError

from generation.streams.events import END, RESTART, TEXT, key_of

log = structlog.get_logger()

PAUSE_SECONDS = 0.05
KEEP_SECONDS = 3600
MOST_ENTRIES = 2_000

Entry = tuple[str, bytes, str]  # id, what it is, the text


def open_channel(stream_id: UUID, attempt: int) -> Channel:
    return Channel(key_of(stream_id), attempt, _press_of(os.getpid()))


@dataclass(slots=True, eq=False)
class Channel:
    """One text on its way to its readers (a `generation.engine.listening.Listener`)."""

    key: str
    attempt: int
    _press: _Press
    _number: int = 0
    _told: str = ""  # of this try at the text, so that it can be told again
    _waiting: str = ""
    _is_void: bool = field(init=False)  # readers have something that is not so any more
    _is_over: bool = False
    _is_ghost: bool = False

    def __post_init__(self) -> None:
        self._is_void = self.attempt > 1

    def begin(self) -> None:
        with self._press.changed:
            self._is_void = self._is_void or bool(self._told)
            self._told = self._waiting = ""
            if self._is_void:
                self._press.add(self)

    def tell(self, piece: str) -> None:
        with self._press.changed:
            self._told += piece
            self._waiting += piece
            self._press.add(self)

    def end(self) -> None:
        """Say that PostgreSQL knows how it ended."""
        with self._press.changed:
            self._is_over = True
            self._press.add(self)

    # --- For the press, which holds the lock ---

    def take(self) -> list[Entry]:
        """What is to be sent now."""
        if self._is_ghost:
            return []
        said = [
            (name, text)
            for name, text, is_said in (
                (RESTART, "1", self._is_void),
                (TEXT, self._waiting, bool(self._waiting)),
                (END, "1", self._is_over),
            )
            if is_said
        ]
        self._waiting, self._is_void = "", False
        first = self._number + 1
        self._number += len(said)
        return [(f"{self.attempt}-{number}", name, text) for number, (name, text) in enumerate(said, first)]

    def note_loss(self) -> None:
        """Nobody knows what arrived, so all of it is told again with the next piece; that it has ended, readers find
        out without us."""
        self._is_void, self._waiting = True, self._told

    def note_refusal(self) -> None:
        """Another worker took over."""
        self._is_ghost = True


class _Press:
    """The thread that sends, and what waits for it."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self._channels: dict[Channel, None] = {}
        threading.Thread(target=self._run, name="press", daemon=True).start()

    def add(self, channel: Channel) -> None:
        """With the lock held."""
        self._channels[channel] = None
        self.changed.notify()

    def _run(self) -> None:
        while True:
            with self.changed:
                self.changed.wait_for(lambda: self._channels)
                entries = [(channel, entry) for channel in self._channels for entry in channel.take()]
                self._channels.clear()
            self._send(entries)
            time.sleep(PAUSE_SECONDS)

    def _send(self, entries: list[tuple[Channel, Entry]]) -> None:
        try:
            replies = _add(entries)
        except RedisError as error:
            log.debug("pieces_not_sent", error=type(error).__name__)
            with self.changed:
                for channel, _ in entries:
                    channel.note_loss()
            return
        for (channel, _), reply in zip(entries, replies, strict=True):
            if isinstance(reply, ResponseError):
                channel.note_refusal()


def _add(entries: list[tuple[Channel, Entry]]) -> list[Any]:
    """The replies, one for each entry."""
    with get_redis_connection("default").pipeline(transaction=False) as pipeline:
        for channel, (entry_id, name, text) in entries:
            pipeline.execute_command("XADD", channel.key, "MAXLEN", "~", MOST_ENTRIES, entry_id, name, text)
        for key in {channel.key for channel, (entry_id, *_) in entries if entry_id.endswith("-1")}:
            pipeline.expire(key, KEEP_SECONDS)
        replies: list[Any] = pipeline.execute(raise_on_error=False)
    return replies[: len(entries)]


@functools.lru_cache(maxsize=1)
def _press_of(_pid: int) -> _Press:
    """Threads do not cross a fork."""
    return _Press()
