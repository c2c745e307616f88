"""Entries in Valkey/Redis, in front of PostgreSQL. Down or slow, it is a miss, never an error.

Names carry the workspace, so a look-up of one's own never meets another's entry: whether somebody else has the same
text makes no difference to what is asked of Valkey, and so none to how long it takes. Only the public pool is looked
at by all. Who may put what, and when not, is in generation/lua/put.lua.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import structlog
from django.conf import settings
from django_redis import get_redis_connection
from redis.commands.core import Script
from redis.exceptions import RedisError

from accounts.models import PLATFORM_WORKSPACE_ID
from accounts.retiring import floor_of, key_of
from accounts.stamps import Stamp
from accounts.windows import TAKE
from generation.caching.codec import pack, unpack
from generation.caching.entries import Entry

log = structlog.get_logger()

_LUA = Path(__file__).parent.parent / "lua"
_PUT = (_LUA / "put.lua").read_text()
_ANSWER = TAKE + (_LUA / "answer.lua").read_text()


def name_of(workspace_id: UUID, key: str) -> str:
    """The triggers of generation/sql/retiring.sql say the same."""
    return f"text:{workspace_id}:{key}"


def public_key(key: str) -> str:
    return f"public:{key}"


def ends_ms(expires_at: datetime) -> int:
    return int(expires_at.timestamp() * 1000)


def get_first(names: Sequence[tuple[UUID, str]]) -> Entry | None:
    """Of the first that is there: each is a workspace's key."""
    try:
        values = get_redis_connection("default").mget([key_of(name_of(*name)) for name in names])
    except RedisError as error:
        log.debug("entry_not_read", error=type(error).__name__)
        return None
    entries = (unpack(value) for value in values if value is not None)
    return next((entry for entry in entries if entry), None)


def put(workspace_id: UUID, key: str, entry: Entry, expires_at: datetime) -> None:
    put_packed([(name_of(workspace_id, key), pack(entry, ends_ms(expires_at)))])


def put_packed(values: Iterable[tuple[str, bytes]]) -> None:
    """By name. What cannot be put is not there, and is found in PostgreSQL."""
    keep_ms = settings.TEXT_CACHE_SECONDS * 1000
    try:
        with get_redis_connection("default").pipeline(transaction=False) as puts:
            for name, value in values:
                puts.eval(_PUT, 2, key_of(name), floor_of(name), value, keep_ms)
            puts.execute()
    except RedisError as error:
        log.debug("entries_not_put", error=type(error).__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one request. `taken` is the reply of lua/take.lua, empty without limits."""

    outcome: Literal["stale", "refused", "missing", "found"]
    taken: tuple[int, ...] = ()
    value: bytes = b""
    is_noted: bool = False


def answer(
    stamps: Sequence[Stamp],
    workspace_id: UUID,
    key: str,
    *,
    may_be_public: bool,
    window_keys: Sequence[str],
    window_question: str,
    stream: str,
    line: str,
    asked: bytes,
) -> Answer:
    """One round trip: see generation/lua/answer.lua. Three stamps. Raises RedisError."""
    own = key_of(name_of(workspace_id, key))
    public = key_of(name_of(PLATFORM_WORKSPACE_ID, public_key(key))) if may_be_public else own
    keys = [*(stamp.key for stamp in stamps), own, public, stream, *window_keys]
    most = (settings.TEXT_CACHE_SECONDS * 1000, settings.FREE_ANSWERS_WAITING)
    arguments = [*(stamp.value for stamp in stamps), window_question, *most, line, asked]
    outcome, *rest = _script()(keys=keys, args=arguments, client=get_redis_connection("default"))
    return Answer(outcome.decode(), *_read(*rest))


def _read(taken: Sequence[int] = (), value: bytes = b"", noted: int = 0) -> tuple[Any, ...]:
    return tuple(taken), value, bool(noted)


@functools.cache
def _script() -> Script:
    return Script(get_redis_connection("default"), _ANSWER)
