"""A text as words that keep their place in it."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from generation.facts.folding import INVISIBLE, PUNCTUATION, fold_word, without_accents

LONGEST_CACHED = 40
SHORTEST_STEM = 4
WORD = re.compile(r"[^\W_]+")


class Word(NamedTuple):
    start: int
    end: int
    raw: str
    key: str  # folded, without accents: what tables are looked up by


class Reading:
    """A text with its typography brought to one form, its words, and the way back to the offsets of the original."""

    def __init__(self, text: str) -> None:
        self.text, self._offsets = _plain(text)
        self.words = [Word(m.start(), m.end(), m[0], word_key(m[0])) for m in WORD.finditer(self.text)]

    def original_span(self, start: int, end: int) -> tuple[int, int]:
        if self._offsets is None or start == end:
            return start, end
        return self._offsets[start], self._offsets[end - 1] + 1

    def words_from(self, position: int) -> list[Word]:
        """The words that begin there or later."""
        return self.words[bisect_left(self.words, (position,)) :]

    def between(self, left: Word, right: Word) -> str:
        return self.text[left.end : right.start]


def covered(words: list[Word], spans: Iterable[tuple[int, int]]) -> set[int]:
    """Positions of the words that begin inside one of the spans."""
    found: set[int] = set()
    starts = [word.start for word in words]
    for start, end in spans:
        found.update(range(bisect_left(starts, start), bisect_left(starts, end)))
    return found


def stem(key: str) -> str:
    """What singular and plural share, roughly and in any of the languages: "pocket", "tasch", "scomparti"."""
    return key.rstrip("aeionrs") if len(key.rstrip("aeionrs")) >= SHORTEST_STEM else key[:SHORTEST_STEM]


def word_key(word: str) -> str:
    return _cached_key(word) if len(word) <= LONGEST_CACHED else without_accents(fold_word(word))


@lru_cache(maxsize=16384)
def _cached_key(word: str) -> str:
    return without_accents(fold_word(word))


def _plain(text: str) -> tuple[str, list[int] | None]:
    if text.isascii():
        return text, None
    plain = text.translate(PUNCTUATION)
    if unicodedata.is_normalized("NFKC", plain) and not INVISIBLE.search(plain):
        return plain, None
    pieces = [_plain_char(char, before) for before, char in pairwise(f" {plain}")]
    offsets = [index for index, piece in enumerate(pieces) for _ in piece]
    return "".join(pieces), offsets


def _plain_char(char: str, before: str) -> str:
    if char.isascii():
        return char
    if INVISIBLE.match(char):
        return ""
    piece = unicodedata.normalize("NFKC", char).translate(PUNCTUATION)
    if before.isdigit() and piece != char and piece[0].isdigit():
        return f" {piece}" if "/" in piece else f"^{piece}"
    return piece
