"""Choosing between wordings, and putting words in a row."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeVar

T = TypeVar("T")


class Rank(IntEnum):
    """What a text keeps first when words are few."""

    INTRODUCTION = 0
    SUBSTANCE = 1
    CHOICES = 2
    FEATURES = 3
    SIZE = 4
    SENTENCES = 5
    PRACTICAL = 6
    REST = 7


@dataclass(frozen=True, slots=True)
class Line:
    """One sentence; `bullet` is the same fact as "Label: value", where it has that form."""

    rank: Rank
    text: str
    bullet: str = ""


@dataclass(frozen=True, slots=True)
class Chooser:
    """Picks by what the product is, so that a shop's texts differ and the same facts always read the same."""

    seed: str

    def pick(self, place: str, options: Sequence[T]) -> T:
        return options[zlib.crc32(f"{place}\n{self.seed}".encode(errors="replace")) % len(options)]


def listed(values: Sequence[str], last: str) -> str:
    """ "a, b and c"; semicolons where an element has commas of its own."""
    if len(values) < 2:
        return "".join(values)
    if any("," in value or f" {last} " in value for value in values):
        return row(values)
    return f"{row(values[:-1])} {last} {values[-1]}"


def row(values: Sequence[str]) -> str:
    """ "a, b, c"; semicolons where an element has commas of its own."""
    return ("; " if any("," in value for value in values) else ", ").join(values)


def sentence(text: str) -> str:
    """With a capital first and a full stop last."""
    ended = text if text.endswith((".", "!", "?", "…")) else f"{text}."
    return ended[0].upper() + ended[1:]
