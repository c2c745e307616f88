"""How many of what: "Pockets: 3" and "2 ribbon markers" bind a number to the things that it counts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from generation.facts.lexicon.small_words import ALL_NUMBER_WORDS, STOP_WORDS
from generation.facts.statements import UNLABELLED, items, statement
from generation.facts.types import Fact
from generation.facts.units import COUNT, Measure, find_unit, measures
from generation.facts.words import Reading, stem

# Larger ones are sizes, years and codes more often than counts.
LARGEST_COUNT = 999
LONGEST_LIST = 200
SHORTEST_NOUN = 3
# A noun may follow the one that belongs to it: "2 ribbon markers".
NOUNS_AFTER = 2
# "Set of six", "6er-Set von", "lot de 6".
OF = frozenset(("of", "von", "aus", "de", "di", "van"))
# Labels and nouns that count what is sold together.
PACKED = frozenset(
    stem(word)
    for word in (
        *(
            "pack",
            "set",
            "piece",
            "quantity",
            "contents",
            "content",
            "count",
            "pcs",
            "units",
            "box",
            "includes",
            "teil",
        ),
        *("teile", "stuck", "inhalt", "lieferumfang", "menge", "packung", "quantite", "unidades", "cantidad", "pezzi"),
    )
)


@dataclass(frozen=True, slots=True)
class Counts:
    of: dict[str, frozenset[Fraction]]  # by the stem of the noun
    bound: frozenset[str]  # stems of nouns whose number the facts state outright
    packs: frozenset[Fraction]  # how many are sold together


class _Number(NamedTuple):
    value: Fraction
    start: int
    end: int
    is_pack: bool  # it counts pieces


def counts_of(facts: Iterable[Fact]) -> Counts:
    found: defaultdict[str, set[Fraction]] = defaultdict(set)
    listed: defaultdict[str, set[Fraction]] = defaultdict(set)
    packs: set[Fraction] = set()
    for fact in facts:
        reading = Reading(fact.value)
        numbers = list(_numbers(reading))
        for number in numbers:
            nouns = list(nouns_after(reading, number.end))
            for noun in nouns:
                found[noun].add(number.value)
            is_alone = not nouns and fact.label in UNLABELLED
            if number.is_pack or is_alone or _is_of_a_set(fact, reading, number):
                packs.add(number.value)
        if fact.label in UNLABELLED:
            continue
        for noun in _label_nouns(fact):
            if numbers and _leads(reading, numbers[0]):
                found[noun].add(numbers[0].value)
            if not numbers and len(fact.value) <= LONGEST_LIST and len(parts := items(fact.value)) > 1:
                listed[noun].add(Fraction(len(parts)))
    for noun in PACKED:
        packs |= found.get(noun, set())
    return Counts(_merged(found, listed), frozenset(found), frozenset(packs))


def _merged(found: dict[str, set[Fraction]], listed: dict[str, set[Fraction]]) -> dict[str, frozenset[Fraction]]:
    """What may be counted: each number given, their sum ("2 hand pockets, 1 chest pocket") and how many are listed."""
    numbers = {noun: (found.get(noun, set()), listed.get(noun, set())) for noun in {*found, *listed}}
    return {noun: frozenset(given | named | {Fraction(sum(given))}) for noun, (given, named) in numbers.items()}


def nouns_after(reading: Reading, end: int) -> Iterator[str]:
    """Stems of the words that a number ending there counts, none when it measures ("2 years") or stands alone."""
    before = end
    for word in reading.words_from(end)[:NOUNS_AFTER]:
        if reading.text[before : word.start].lstrip("x×") not in (" ", "-") or word.key in STOP_WORDS:
            return
        if find_unit(word.raw) not in (None, COUNT) or word.key in ALL_NUMBER_WORDS or word.raw[0].isdigit():
            return
        if len(word.key) >= SHORTEST_NOUN:
            yield stem(word.key)
        before = word.end


def _is_of_a_set(fact: Fact, reading: Reading, number: _Number) -> bool:
    """ "Set of six glasses", and a title like "Four brass holders"; not "Three drawer chest"."""
    before = [word for word in reading.words if word.end <= number.start]
    if not before:
        return fact.label == "title" and _are_several(reading, number.end)
    return len(before) > 1 and before[-1].key in OF and stem(before[-2].key) in PACKED


def _are_several(reading: Reading, end: int) -> bool:
    """Whether the last of the words that belong together there is a plural."""
    noun = ""
    for word in reading.words_from(end):
        if reading.text[end : word.start] != " " or word.key in STOP_WORDS:
            break
        noun, end = word.key, word.end
    return noun.endswith("s") and not noun.endswith("ss")


def _numbers(reading: Reading) -> Iterator[_Number]:
    """Whole numbers that may count."""
    for measure in measures(reading.text):
        if (measure.unit is None or measure.unit is COUNT) and _may_count(measure):
            yield _Number(measure.values[0], measure.start, measure.number_end, measure.unit is COUNT)
    for word in reading.words:
        if word.key in ALL_NUMBER_WORDS:
            yield _Number(Fraction(ALL_NUMBER_WORDS[word.key]), word.start, word.end, is_pack=False)


def _may_count(measure: Measure) -> bool:
    return len(measure.values) == 1 and measure.values[0].denominator == 1 and 0 < measure.values[0] <= LARGEST_COUNT


def _leads(reading: Reading, number: _Number) -> bool:
    """Whether a value begins with that number and not with a range or a fraction: "3 (2 hand, 1 chest)"."""
    end = number.end
    return (
        bool(reading.words)
        and reading.words[0].start <= end == reading.words[0].end
        and (reading.text[end : end + 1] not in ("-", "+", "/", "x"))
    )


def _label_nouns(fact: Fact) -> list[str]:
    if fact.canonical.startswith(("code:", "bool:")) or statement(fact).startswith("not "):
        return []
    return [stem(word.key) for word in Reading(fact.display_label).words if word.key not in STOP_WORDS]
