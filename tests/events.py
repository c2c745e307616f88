"""Server-sent events, as a client reads them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Event:
    name: str
    data: Any
    id: str


def read_events(lines: Iterable[str]) -> Iterator[Event]:
    """Comments and `retry` are for browsers."""
    fields: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        if line:
            fields[name] = value
        elif "event" in fields:
            yield Event(fields["event"], json.loads(fields["data"]), fields.get("id", ""))
            fields = {}
        else:
            fields = {}


def events_of(content: bytes) -> list[Event]:
    return list(read_events(content.decode().split("\n")))


def told(events: Iterable[Event]) -> str:
    """What a reader has on the screen in the end."""
    text = ""
    for event in events:
        if event.name == "restart":
            text = ""
        elif event.name == "text":
            text += event.data["text"]
    return text
