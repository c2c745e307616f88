"""A text as tokens: words, codes, quantities, and whatever symbol may change what is said."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from generation.facts.folding import compose
from generation.facts.units import Measure, measures
from generation.paraphrase.spelling import fold_spelling
from generation.paraphrase.turns import rewritten

# "WH-1000XM5" and "f/1.8" in one piece; "gold-plated" is split like "gold plated".
TOKEN = re.compile(r"[^\W_]+(?:[-'./_+][^\W_]+)*(?:(?<=s)'(?!\w))?|\S")
PIECES = re.compile(r"[^\W_]+(?:'[^\W_]*)?|[^-]")
# What follows a number is looked at so far and no further, or a text of "3-3-3-" would take its square in time.
LONGEST_CODE = 30
SIDE = re.compile(r"[xX]\d")
HAS_DIGIT = re.compile(r"\d")
BREAKS = frozenset(',;.:!()[]|"•·–—')
CONTRACTED = frozenset(("it's", "that's"))
# "In-mould" links nothing.
COMPOUND = re.compile(r"(in|for|by)(?=-[^\W\d_])", re.IGNORECASE)


class Token(NamedTuple):
    kind: str  # word, code, number, break, symbol, or the kind of a quantity: "quantity m3", "count"
    value: str
    raw: str
    possessive: bool = False


def tokens_of(text: str) -> list[Token]:
    """Of one field, without line breaks."""
    composed = rewritten(compose(text))
    found = {measure.start: measure for measure in measures(composed) if not _is_in_code(composed, measure)}
    return list(_tokens(composed, found))


def _tokens(text: str, found: dict[int, Measure]) -> Iterator[Token]:
    position, previous = 0, len(text)
    while match := TOKEN.search(text, position):
        measure = found.get(match.start())
        if measure is not None:
            if text[previous : measure.start].strip() == "-":
                yield Token("word", "to", "-")
            yield _measured(measure)
            position = previous = measure.end
            continue
        # A quantity may begin inside what looks like one word: "x30cm".
        inner = next((start for start in range(match.start() + 1, match.end()) if start in found), match.end())
        yield from _words(text[match.start() : inner])
        position = inner


def _is_in_code(text: str, measure: Measure) -> bool:
    """The 1000 of "WH-1000XM5" and the 6204 of "6204-2RS"; not the 20 of "20-30 cm"."""
    start = measure.start
    if start > 1 and text[start - 1] == "-" and text[start - 2].isalpha():
        return True
    whole = TOKEN.match(text, start, measure.end + LONGEST_CODE)
    rest = text[measure.end : whole.end()] if whole else ""
    return measure.unit is None and not SIDE.match(rest) and any(char.isalpha() for char in rest)


def _measured(measure: Measure) -> Token:
    kind, _, value = measure.canonical.partition(":")
    if kind == "quantity":
        value, _, base = value.rpartition(" ")
        return Token(f"quantity {base}", value, measure.literal)
    return Token(kind, value, measure.literal)


def _words(word: str) -> Iterator[Token]:
    if HAS_DIGIT.search(word) and len(word) > 1:
        yield Token("code", fold_spelling(word), word)
        return
    if compound := COMPOUND.match(word):
        yield Token("word", f"{compound[0].casefold()}-", compound[0])
        word = word[compound.end() + 1 :]
    for piece in PIECES.findall(word):
        if piece in BREAKS:
            yield Token("break", piece, piece)
        elif piece[0].isalnum():
            yield from _word(piece)
        else:
            yield Token("symbol", piece, piece)


def _word(piece: str) -> Iterator[Token]:
    folded = fold_spelling(piece)
    if folded in CONTRACTED:
        yield Token("word", folded[:-2], piece[:-2])
        yield Token("word", "is", "is")
    elif folded.endswith(("'s", "s'")):
        owner = folded.removesuffix("s").removesuffix("'") if folded.endswith("'s") else folded[:-1]
        yield Token("word", fold_spelling(owner), piece[: len(owner)], possessive=True)
    else:
        yield Token("word", folded, piece)
