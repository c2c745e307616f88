"""Choosing between wordings, and putting words in a row."""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeVar

T = TypeVar("T")

_NEGATION = re.compile(
    r"\b(?:not|no|non|never|without|except|nicht|kein\w*|ohne|pas|sans|sin|senza|zonder|niet|geen)\b", re.IGNORECASE
)


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


def is_negated(phrase: str) -> bool:
    return bool(_NEGATION.search(phrase))


def listed(values: Sequence[str], last: str) -> str:
    """ "a, b and c"; a plain row where an "and" would join what does not belong together."""
    if len(values) < 2:
        return "".join(values)
    separator = _separator(values)
    if separator == "; " or any(f" {last} " in value for value in values):
        return separator.join(values)
    return f"{separator.join(values[:-1])} {last} {values[-1]}"


def row(values: Sequence[str]) -> str:
    """ "a, b, c"."""
    return _separator(values).join(values)


def _separator(values: Sequence[str]) -> str:
    """Semicolons around elements with commas of their own, and around a "not", which must not reach the next one."""
    negated = [is_negated(value) for value in values]
    return "; " if any("," in value for value in values) or any(negated) != all(negated) else ", "


def sentence(text: str) -> str:
    """With a capital first and a full stop last."""
    ended = text if text.endswith((".", "!", "?", "…")) else f"{text}."
    return ended[0].upper() + ended[1:]
