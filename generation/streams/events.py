"""Server-sent events, and the entries of a text's stream in Valkey that they are made from.

An entry's id is `<attempt>-<number>`: a worker that took over has the higher attempt, so Valkey itself refuses what a
ghost still adds. It is also the event's id, with which a reader says how far they got.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.core.cache import cache

START = (0, 0)
# Browsers wait this long before they connect again.
RETRY = b"retry: 2000\n\n"
HEARTBEAT = b":\n\n"

# Fields of an entry: one of the three.
TEXT, RESTART, END = b"text", b"restart", b"end"

Position = tuple[int, int]

_ID = re.compile(r"(\d{1,9})-(\d{1,9})")


def key_of(stream_id: UUID) -> str:
    key: str = cache.make_key(f"stream:{stream_id}")
    return key


def position_of(event_id: str) -> Position:
    """Of an id that a reader presents; the start for anything that is none of ours."""
    match = _ID.fullmatch(event_id)
    return (int(match[1]), int(match[2])) if match else START


def event(name: str, data: Any, event_id: str = "") -> bytes:
    told = f"id: {event_id}\n" if event_id else ""
    return f"{told}event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()


def event_of(entry_id: bytes, entry: Mapping[bytes, bytes]) -> bytes:
    """Empty for the end, which says no more than that PostgreSQL knows it."""
    for field, name in ((TEXT, "text"), (RESTART, "restart")):
        if field in entry:
            told = {"text": entry[field].decode()} if field == TEXT else {}
            return event(name, told, entry_id.decode())
    return b""
