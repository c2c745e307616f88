"""What changed between two texts, word by word."""

from __future__ import annotations

import difflib
from typing import Any

from generation.facts import FIELDS
from generation.models import Text


def compared(present: Text, other: Text) -> list[dict[str, Any]]:
    """The fields that differ, with the words of both."""
    return [
        {"name": name, "words": diff_words(getattr(present, name), getattr(other, name))}
        for name in FIELDS
        if getattr(present, name) != getattr(other, name)
    ]


def diff_words(before: str, after: str) -> list[dict[str, str]]:
    """[{"kind": "same" | "removed" | "added", "text": ...}]"""
    old, new = before.split(" "), after.split(" ")
    pieces: list[dict[str, str]] = []
    for kind, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            pieces.append({"kind": "same", "text": " ".join(old[a:b])})
            continue
        if b > a:
            pieces.append({"kind": "removed", "text": " ".join(old[a:b])})
        if d > c:
            pieces.append({"kind": "added", "text": " ".join(new[c:d])})
    return pieces
