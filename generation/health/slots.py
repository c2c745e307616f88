"""How many calls a provider takes at a time, over all processes, and whose turn it is when all places are taken.

The rules are in lua/slots.lua. Without Valkey each process has a share of the places for itself.
"""

from __future__ import annotations

import math
import os
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal, Protocol
from uuid import UUID

import structlog
from django.conf import settings
from django.core.cache import cache
from django_redis import get_redis_connection
from redis.exceptions import RedisError

from contentopt import connections
from generation.health.breakers import LUA
from generation.llm.errors import LlmError

log = structlog.get_logger()

PATIENCE_SECONDS = 3.0  # of a place in the queue: whoever still waits asks often enough
BUSY_RETRY_SECONDS = 5.0
ASK_AGAIN_SECONDS = 0.25  # shorter than the time a reply of Valkey's may take
_SLOTS = (LUA / "slots.lua").read_text()

Action = Literal["ask", "keep", "leave"]


@dataclass(frozen=True, slots=True)
class Ticket:
    provider: str
    places: int
    workspace_id: UUID
    is_bulk: bool
    token: str = field(default_factory=lambda: uuid.uuid4().hex)


class Slots(Protocol):
    def take(self, ticket: Ticket, until: float) -> bool: ...

    def give_back(self, ticket: Ticket) -> None: ...


class SharedSlots:
    def take(self, ticket: Ticket, until: float) -> bool:
        """Wait for a place; False when there was none by then. Raises RedisError."""
        while True:
            if _run("ask", ticket):
                _keeper(os.getpid()).add(ticket)
                return True
            connections.let_go()
            left = until - time.monotonic()
            if left <= 0:
                _run("leave", ticket)
                return False
            wake = f"{_key(ticket, 'held')}:{ticket.token}"
            get_redis_connection("default").blpop([wake], timeout=min(left, ASK_AGAIN_SECONDS))

    def give_back(self, ticket: Ticket) -> None:
        _keeper(os.getpid()).remove(ticket)
        try:
            _run("leave", ticket)
        except RedisError as error:  # its lease runs out
            log.warning("place_not_given_back", error=type(error).__name__)


def _key(ticket: Ticket, name: str) -> str:
    key: str = cache.make_key(f"{{slots:{ticket.provider}}}:{name}")
    return key


def _run(action: Action, ticket: Ticket) -> bool:
    keys = [_key(ticket, name) for name in ("held", "waiting", "turns", "owners", "counts", "serial")]
    leases = [round(1000 * settings.PROVIDER_PLACE_SECONDS), round(1000 * PATIENCE_SECONDS)]
    arguments = [action, ticket.token, str(ticket.workspace_id), int(ticket.is_bulk), ticket.places, *leases]
    return bool(get_redis_connection("default").register_script(_SLOTS)(keys=keys, args=arguments))


class _Keeper:
    """Extends the leases of all places that this process holds, from one thread."""

    def __init__(self) -> None:
        self._held: set[Ticket] = set()
        self._lock = threading.Lock()
        threading.Thread(target=self._keep, daemon=True, name="slots").start()

    def add(self, ticket: Ticket) -> None:
        with self._lock:
            self._held.add(ticket)

    def remove(self, ticket: Ticket) -> None:
        with self._lock:
            self._held.discard(ticket)

    def _keep(self) -> None:
        while True:
            time.sleep(settings.PROVIDER_PLACE_SECONDS / 4)
            with self._lock:
                held = list(self._held)
            for ticket in held:
                try:
                    self._extend(ticket)
                except RedisError:
                    break

    def _extend(self, ticket: Ticket) -> None:
        """Not of one that was given back meanwhile: nobody would give it back again."""
        with self._lock:
            if ticket in self._held:
                _run("keep", ticket)


@lru_cache
def _keeper(_pid: int) -> _Keeper:
    """One a process: a thread does not cross a fork."""
    return _Keeper()


@dataclass(slots=True)
class LocalSlots:
    """The same rules in a process's memory, for its share of the places."""

    _waiting: list[Ticket] = field(default_factory=list)
    _held: list[Ticket] = field(default_factory=list)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def take(self, ticket: Ticket, until: float) -> bool:
        with self._changed:
            self._waiting.append(ticket)
            is_next = self._changed.wait_for(lambda: self._is_next(ticket), max(until - time.monotonic(), 0))
            self._waiting.remove(ticket)
            if is_next:
                self._held.append(ticket)
            self._changed.notify_all()
            return is_next

    def _is_next(self, ticket: Ticket) -> bool:
        held = Counter(each.workspace_id for each in self._held if each.provider == ticket.provider)
        if held.total() >= math.ceil(ticket.places / settings.WEB_WORKERS):
            return False
        rivals = [each for each in self._waiting if each.provider == ticket.provider]
        return ticket is min(rivals, key=lambda each: (held[each.workspace_id], each.is_bulk))

    def give_back(self, ticket: Ticket) -> None:
        with self._changed:
            self._held.remove(ticket)
            self._changed.notify_all()


_shared, _local = SharedSlots(), LocalSlots()


@dataclass(slots=True)
class Place:
    ticket: Ticket
    until: float
    _slots: Slots | None = None

    def take(self) -> None:
        self._slots = self._take()

    def _take(self) -> Slots:
        slots: Slots = _shared
        try:
            is_taken = slots.take(self.ticket, self.until)
        except RedisError:
            slots = _local
            is_taken = slots.take(self.ticket, self.until)
        if is_taken:
            return slots
        raise LlmError("busy", "Every place at the provider was taken.", retryable=True, retry_after=BUSY_RETRY_SECONDS)

    def give_back(self) -> None:
        slots, self._slots = self._slots, None
        if slots:
            slots.give_back(self.ticket)

    def step_aside(self, seconds: float) -> None:
        """Wait for something else, and queue again."""
        self.give_back()
        connections.sleep(seconds)
        self.take()


@contextmanager
def place(provider: str, places: int, *, workspace_id: UUID, is_bulk: bool, until: float) -> Iterator[Place]:
    """Hold one of the provider's places while the block runs. Raises LlmError, which costs nothing, when there is none
    until then (monotonic seconds).
    """
    taken = Place(Ticket(provider, places, workspace_id, is_bulk), until)
    taken.take()
    try:
        yield taken
    finally:
        taken.give_back()
