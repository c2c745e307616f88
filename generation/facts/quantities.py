"""Numbers of a text against the facts: quantities in any unit, counts in digits and in words, and how many are sold."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

from generation.facts.counts import nouns_after
from generation.facts.known import ICE_POINT, Known
from generation.facts.lexicon.small_words import (
    AMBIGUOUS_NUMBERS,
    NEGATORS,
    NUMBER_WORDS,
    STOP_WORDS,
    UNCOUNTED,
)
from generation.facts.units import COUNT, Measure, Unit, find_unit
from generation.facts.words import Reading, Word

# "set of three", "lot de 3", "Packung mit 6".
PACK_BEFORE = re.compile(
    r"(?:pack|set|box|bundle|lot|juego|paquete|confezione|packung|verpakking) (?:of|de|da|di|van|mit|met) $",
    re.IGNORECASE,
)
PACK_AFTER = re.compile(r"[- ]?(?:er-?)?(?:pack|set)\b", re.IGNORECASE)
# Ends of a clause that let a number word stand for what it counted: "there are four."
CLAUSE_END = re.compile(r"\s*(?:[.:;!?]|$)")
# "Coffee for two" counts nobody.
FEWEST_ALONE = 3
SHORTEST_UNIT_WORD = 3
# "All three" are what was just named.
ALL_OF = frozenset(("all", "alle", "tous", "toutes", "los", "las", "tutti", "tutte", "tutt", "these", "those", "both"))
CAPITALISED_NOUNS = frozenset(("de",))


class Fault(NamedTuple):
    kind: str  # "number" or "unit"
    start: int
    end: int


class Quantities:
    def __init__(self, reading: Reading, measures: list[Measure], known: Known, language: str) -> None:
        self.reading = reading
        self.measures = measures
        self.known = known
        self.language = language
        self.values = NUMBER_WORDS[language]

    def of_measures(self) -> Iterator[Fault]:
        for measure in self.measures:
            if not self._is_list_mark(measure) and (kind := self._fault(measure)):
                yield Fault(kind, measure.start, measure.end)

    def of_words(self) -> Iterator[Fault]:
        for position, word in enumerate(self.reading.words):
            if word.key in self.values:
                value, first = self._number_at(position)
                if fault := self._word_fault(position, Fraction(value)):
                    end = fault.end if fault.kind == "unit" else word.end
                    yield Fault(fault.kind, self.reading.words[first].start, end)

    def _fault(self, measure: Measure) -> str:
        has_number = not self.known.numbers.isdisjoint(measure.values)
        if measure.unit is None or measure.unit is COUNT:
            if any(self._is_packed(value, measure.start, measure.number_end) is False for value in measure.values):
                return "number"
            nouns = list(nouns_after(self.reading, measure.number_end))
            if self._is_bound_otherwise(nouns, measure.values):
                return "number"
            is_known = has_number or self._is_counted(nouns, measure.values) or self._is_code(measure)
            return "" if is_known else "number"
        if self._is_quantity(measure.unit, measure.values):
            return ""
        return "unit" if has_number else "number"

    def _is_code(self, measure: Measure) -> bool:
        return re.sub(r"\W", "", measure.literal) in self.known.codes

    def _is_quantity(self, unit: Unit, values: tuple[Fraction, ...]) -> bool:
        known = self.known.quantities
        return any((unit.base, value * unit.factor + unit.offset) in known for value in values) or (
            unit.base == "degree" and any(("K", value + ICE_POINT) in known for value in values)
        )

    def _is_packed(self, value: Fraction, start: int, end: int) -> bool | None:
        """Whether so many are sold together; None when the text does not say that they are."""
        text = self.reading.text
        if not PACK_AFTER.match(text, end) and not PACK_BEFORE.search(text, max(0, start - 20), start):
            return None
        nouns = nouns_after(self.reading, end)
        return value in self.known.counts.packs or any(value in self.known.counts.of.get(noun, ()) for noun in nouns)

    def _is_bound_otherwise(self, nouns: list[str], values: tuple[Fraction, ...]) -> bool:
        """Whether the facts state another number of what is counted."""
        counts = self.known.counts
        bound = [noun for noun in nouns if noun in counts.bound]
        return bool(bound) and all(counts.of[noun].isdisjoint(values) for noun in bound)

    def _is_counted(self, nouns: list[str], values: tuple[Fraction, ...]) -> bool:
        return any(not self.known.counts.of.get(noun, frozenset()).isdisjoint(values) for noun in nouns)

    def _is_list_mark(self, measure: Measure) -> bool:
        """ "1." or "2)" at the head of a line."""
        before = self.reading.text[: measure.start].rpartition("\n")[2]
        after = self.reading.text[measure.end : measure.end + 2]
        return measure.unit is None and not before.strip() and after in (". ", ") ")

    def _word_fault(self, position: int, value: Fraction) -> Fault | None:
        word = self.reading.words[position]
        if unit := self._unit_after(position):
            if self._is_quantity(unit, (value,)):
                return None
            kind = "unit" if value in self.known.numbers else "number"
            return Fault(kind, word.start, self.reading.words[position + 1].end)
        nouns = list(nouns_after(self.reading, word.end))
        fault = Fault("number", word.start, word.end)
        if self._is_bound_otherwise(nouns, (value,)) or self._is_packed(value, word.start, word.end) is False:
            return fault
        if (
            value in self.known.numbers
            or self._is_counted(nouns, (value,))
            or not self._counts_something(position, value)
        ):
            return None
        return fault

    def _unit_after(self, position: int) -> Unit | None:
        """The unit of "two years" and "ten-minute"; short spellings are other words too often."""
        words = self.reading.words
        if position + 1 == len(words) or self.reading.between(words[position], words[position + 1]) not in (" ", "-"):
            return None
        following = words[position + 1]
        unit = find_unit(following.raw) if len(following.raw) >= SHORTEST_UNIT_WORD else None
        return None if unit is COUNT or following.key in UNCOUNTED else unit

    def _counts_something(self, position: int, value: Fraction) -> bool:
        """Whether a noun follows: not in "the two of you", "two ways", "no two alike", nor inside "twenty-four"."""
        words = self.reading.words
        word = words[position]
        if position and words[position - 1].key in NEGATORS[self.language] | ALL_OF:
            return False
        if CLAUSE_END.match(self.reading.text, word.end):
            return value >= FEWEST_ALONE and word.key not in AMBIGUOUS_NUMBERS
        if self.reading.between(word, words[position + 1]) not in (" ", "-"):
            return False
        following = words[position + 1]
        if following.key in UNCOUNTED or following.key in STOP_WORDS or following.key in self.values:
            return False
        return word.key not in AMBIGUOUS_NUMBERS or (
            self.language in CAPITALISED_NOUNS and word.raw.islower() and following.raw[0].isupper()
        )

    def _number_at(self, position: int) -> tuple[int, int]:
        """The number that ends there and the position where it begins: "twenty-four", "treinta y dos"."""
        words = self.reading.words
        value = self.values[words[position].key]
        first = position - 1
        if first > 0 and words[first].key == "y":
            first -= 1
        before = self.values.get(words[first].key) if first >= 0 else None
        if before is None or not self._belong(words[first], words[position]):
            return value, position
        return (before * value if value >= 100 else before + value), first

    def _belong(self, word: Word, following: Word) -> bool:
        return self.reading.between(word, following) in (" ", "-", " y ")
