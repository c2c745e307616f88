"""A text as tokens: words, codes, quantities, and whatever symbol may change what is said."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from generation.facts.folding import compose, fold_word
from generation.facts.units import Measure, measures

# "WH-1000XM5" and "f/1.8" in one piece; "gold-plated" is split like "gold plated".
TOKEN = re.compile(r"[^\W_]+(?:[-'./_+][^\W_]+)*(?:(?<=s)'(?!\w))?|\S")
PIECES = re.compile(r"[^\W_]+(?:'[^\W_]*)?|[^-]")
# What follows a number is looked at so far and no further, or a text of "3-3-3-" would take its square in time.
LONGEST_CODE = 30
SIDE = re.compile(r"[xX]\d")
HAS_DIGIT = re.compile(r"\d")
BREAKS = frozenset(',;.:!()[]|"•·–—')
CONTRACTED = frozenset(("it's", "that's"))


# "One-litre" and "two years' warranty".
SPELLED_NUMBERS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "eight": 8, "ten": 10, "twelve": 12}
SPELLED_MEASURE = re.compile(
    rf"\b(?P<number>{'|'.join(SPELLED_NUMBERS)})[ -]"
    r"(?P<unit>(?:lit(?:re|er)|met(?:re|er)|hour|month|year)s?)(?:'s?)?(?!\w)",
    re.IGNORECASE,
)

# "For ages 3 and up", "ages 3+".
AND_UP = r"(?:\+| and (?:up|over|above|older))"
AGES = re.compile(
    rf"\b(?:for |from )?(?:(?P<months>\d{{1,2}})(?:\+ months?| months?{AND_UP})|ages? (?P<ages>\d{{1,2}}){AND_UP}"
    rf"|(?P<years>\d{{1,2}})(?:\+ years?| years?{AND_UP}|[- ]year[- ]olds?{AND_UP}))(?!\w)",
    re.IGNORECASE,
)
# "Max. load" ends no sentence.
ABBREVIATED = re.compile(r"\b(max|min|incl|excl|approx|vol|ca)\.", re.IGNORECASE)
# "No. 34" denies nothing.
NUMBERED = re.compile(r"\bno\. ?(?=\d)", re.IGNORECASE)
# "In-mould" links nothing.
COMPOUND = re.compile(r"(in|for|by)(?=-[^\W\d_])", re.IGNORECASE)


class Token(NamedTuple):
    kind: str  # word, code, number, break, symbol, or the kind of a quantity: "quantity m3", "count"
    value: str
    raw: str
    possessive: bool = False


def tokens_of(text: str) -> list[Token]:
    """Of one field, without line breaks."""
    composed = AGES.sub(
        _from_age, SPELLED_MEASURE.sub(_in_digits, ABBREVIATED.sub(r"\1", NUMBERED.sub("number ", compose(text))))
    )
    found = {measure.start: measure for measure in measures(composed) if not _is_in_code(composed, measure)}
    return list(_tokens(composed, found))


def _from_age(match: re.Match[str]) -> str:
    return f"from {match['months']} months" if match["months"] else f"from {match['ages'] or match['years']} years"


def _in_digits(match: re.Match[str]) -> str:
    return f"{SPELLED_NUMBERS[match['number'].lower()]} {match['unit']}"


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
        yield Token("code", fold_word(word), word)
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
    folded = fold_word(piece)
    if folded in CONTRACTED:
        yield Token("word", folded[:-2], piece[:-2])
        yield Token("word", "is", "is")
    elif folded.endswith(("'s", "s'")):
        owner = folded.removesuffix("s").removesuffix("'") if folded.endswith("'s") else folded[:-1]
        yield Token("word", fold_word(owner), piece[: len(owner)], possessive=True)
    else:
        yield Token("word", folded, piece)
