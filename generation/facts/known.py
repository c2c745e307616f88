"""What a text about these facts may state, indexed once per brief."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise

from generation.facts.counts import Counts, counts_of
from generation.facts.lexicon.modifiers import COLORS_IN_CONTEXT
from generation.facts.lexicon.small_words import ALL_NUMBER_WORDS, LETTER_SIZES, MULTIPLES, STOP_WORDS
from generation.facts.mentions import find_mentions
from generation.facts.parts import Parts, parts_of
from generation.facts.statements import UNLABELLED, denied_words, statement
from generation.facts.types import Fact, Facts
from generation.facts.units import COUNT, Measure, Unit, measures
from generation.facts.vocabulary import broader, excluded, facts_vocabulary, ingredients, otherwise, text_vocabulary
from generation.facts.words import Reading, Word, stem

# "70/80/90 °C" lists what text states one by one.
SLASHED = re.compile(r"(?<![\d/])\d+(?:[.,]\d+)?(?:/\d+(?:[.,]\d+)?){2,}")
LISTED = re.compile(r", ?| / ")
AGE_LABELS = re.compile(r"\b(?:ages?|alter\w*|âge|edad|età|leeftijd)\b", re.IGNORECASE)
MONTHS = 12
ICE_POINT = Fraction("273.15")
# The head of a longer value says what the label is of; a longer one is a sentence.
WORDS_OF_KIND = 2
SHORTEST_INITIALS, LONGEST_INITIALS = 3, 5
LONGEST_ABBREVIATED = 10  # words
# Classes of energy use and the like.
GRADE = re.compile(r"(?:class|klasse|classe|clase|classe energetica)\s*:?\s*([A-G]\+{0,3})(?!\w)", re.IGNORECASE)
DOUBLE = ("doppel", "dubbel")
LONGEST_KEPT = 200  # characters of a value
_SETS = (
    "words", "codes", "models", "acronyms", "grades", "sizes", "numbers", "quantities", "stated", "denied",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Known:
    words: frozenset[str]
    stems: frozenset[str]
    codes: frozenset[str]  # up to three neighbouring words written as one: "x200" of "X-200"
    models: frozenset[str]  # codes of a word and a number that is no quantity
    acronyms: frozenset[str]
    grades: frozenset[str]
    sizes: frozenset[str]
    numbers: frozenset[Fraction]
    quantities: frozenset[tuple[str, Fraction]]
    stated: frozenset[str]  # concepts
    denied: frozenset[str]
    denied_words: tuple[tuple[str, ...], ...]  # stems: "not suitable for children"
    counts: Counts
    parts: Parts
    has_ingredients: bool


@lru_cache(maxsize=32)
def known_from(facts: Facts, language: str) -> Known:
    index = _Index()
    for fact in facts.facts:
        index.include(_index_of(fact, language))
    index.numbers |= _counts(facts)
    return index.known(counts_of(facts.facts), parts_of(facts.facts, facts_vocabulary(language)))


def grades_in(text: str) -> Iterator[re.Match[str]]:
    return GRADE.finditer(text)


def _index_of(fact: Fact, language: str) -> _Index:
    """A product's facts are most of its family's too, and a shop says the same of many products."""
    return _kept_index(fact, language) if len(fact.value) <= LONGEST_KEPT else _read(fact, language)


@lru_cache(maxsize=512)
def _kept_index(fact: Fact, language: str) -> _Index:
    return _read(fact, language)


def _read(fact: Fact, language: str) -> _Index:
    index = _Index()
    index.add(fact, language)
    return index


class _Index:
    def __init__(self) -> None:
        self.words: set[str] = set()
        self.codes: set[str] = set()
        self.models: set[str] = set()
        self.acronyms: set[str] = set()
        self.grades: set[str] = set()
        self.sizes: set[str] = set()
        self.numbers: set[Fraction] = set()
        self.quantities: set[tuple[str, Fraction]] = set()
        self.stated: set[str] = set()
        self.denied: set[str] = set()
        self.denied_words: list[tuple[str, ...]] = []
        self.has_ingredients = False

    def include(self, other: _Index) -> None:
        for name in _SETS:
            getattr(self, name).update(getattr(other, name))
        self.denied_words += other.denied_words
        self.has_ingredients |= other.has_ingredients

    def add(self, fact: Fact, language: str) -> None:
        reading = Reading(SLASHED.sub(lambda match: match[0].replace("/", ", "), statement(fact)))
        found = measures(reading.text)
        self._add_words(fact, reading)
        self._add_codes(reading, {measure.start for measure in found if measure.unit})
        self._add_numbers(fact, reading, found)
        for stated in (reading, *_as_kinds(fact)):
            self._add_concepts(stated, language)
        self.has_ingredients |= fact.label == "ingredients"
        if denied := denied_words(fact):
            self.denied_words.append(tuple(map(stem, denied)))

    def _add_words(self, fact: Fact, reading: Reading) -> None:
        keys = [word.key for word in reading.words]
        self.words.update(keys)
        self.sizes.update(
            word.raw.upper() for word in reading.words if fact.label == "size" or word.raw in LETTER_SIZES
        )
        self.numbers.update(Fraction(ALL_NUMBER_WORDS[key]) for key in keys if key in ALL_NUMBER_WORDS)
        self.numbers.update(Fraction(MULTIPLES[key]) for key in keys if key in MULTIPLES)
        if any(key.startswith(DOUBLE) for key in keys):
            self.numbers.add(Fraction(2))
        if fact.label == "color":
            self.stated.update(COLORS_IN_CONTEXT[key] for key in keys if key in COLORS_IN_CONTEXT)
        self.grades.update(match[1].upper() for match in grades_in(reading.text))

    def _add_codes(self, reading: Reading, quantities: set[int]) -> None:
        words = reading.words
        keys = [word.key for word in words]
        self.codes.update(keys)
        self.codes.update(first + second for first, second in pairwise(keys))
        self.codes.update("".join(keys[i : i + 3]) for i in range(len(keys) - 2))
        self.codes.update(_initials(words))
        self.models.update(key for key in keys if not key.isalpha())
        self.models.update(
            first.key + second.key for first, second in pairwise(words) if second.start not in quantities
        )
        self.acronyms.update(
            word.key
            for word in words
            if word.raw.isupper() and word.raw.isalpha() and len(word.raw) <= LONGEST_INITIALS
        )

    def _add_numbers(self, fact: Fact, reading: Reading, found: list[Measure]) -> None:
        shared = None  # "2, 2.5 and 3 mm": the last one's unit is that of all
        following = len(reading.text)
        for measure in reversed(found):
            if measure.unit is not None or not LISTED.fullmatch(reading.text[measure.end : following]):
                shared = measure.unit
            self.numbers.update(measure.values)
            self._add_quantities(measure, shared)
            following = measure.start
        if AGE_LABELS.search(fact.display_label):
            self.quantities.update(("month", value * MONTHS) for measure in found for value in measure.values)

    def _add_quantities(self, measure: Measure, unit: Unit | None) -> None:
        """Degrees of an oven are degrees Celsius, with or without the letter."""
        if unit is None or unit is COUNT:
            return
        self.quantities.update((unit.base, value * unit.factor + unit.offset) for value in measure.values)
        if unit.base == "degree":
            self.quantities.update(("K", value + ICE_POINT) for value in measure.values)
        elif unit.offset == ICE_POINT:
            self.quantities.update(("degree", value) for value in measure.values)

    def _add_concepts(self, reading: Reading, language: str) -> None:
        vocabularies = [facts_vocabulary(language)]
        if language != "en":
            # A German text that quotes "carbon steel" has the German word "carbon" in it.
            vocabularies.append(text_vocabulary(language))
        for vocabulary in vocabularies:
            for mention in find_mentions(reading, vocabulary, None):
                (self.denied if mention.negated else self.stated).add(mention.concept)

    def known(self, counts: Counts, parts: Parts) -> Known:
        stated = self.stated.union(*map(otherwise, self.denied))
        return Known(
            words=frozenset(self.words),
            stems=frozenset(map(stem, self.words)),
            codes=frozenset(self.codes),
            models=frozenset(self.models),
            acronyms=frozenset(self.acronyms),
            grades=frozenset(self.grades),
            sizes=frozenset(self.sizes),
            numbers=frozenset(self.numbers),
            quantities=frozenset(self.quantities),
            stated=frozenset(stated.union(*map(broader, stated))),
            denied=frozenset(self.denied.union(*map(excluded, stated))),
            denied_words=tuple(self.denied_words),
            counts=counts,
            parts=parts,
            has_ingredients=self.has_ingredients or not ingredients().isdisjoint(stated),
        )


def _as_kinds(fact: Fact) -> list[Reading]:
    """ "Wax: soy" as "soy wax" and "cire de soja"."""
    if fact.label in UNLABELLED or not fact.canonical.startswith("text:") or statement(fact).startswith("not "):
        return []
    if len(fact.value.split()) > WORDS_OF_KIND or len(fact.display_label.split()) > WORDS_OF_KIND:
        return []
    return [Reading(f"{fact.value} {fact.display_label}, {fact.display_label} de {fact.value}")]


def _initials(words: list[Word]) -> Iterator[str]:
    """ "aove" of "Aceite de oliva virgen extra"."""
    letters = "".join(word.key[0] for word in words if word.key not in STOP_WORDS)[:LONGEST_ABBREVIATED]
    for length in range(SHORTEST_INITIALS, LONGEST_INITIALS + 1):
        yield from (letters[start : start + length] for start in range(len(letters) - length + 1))


def _counts(facts: Facts) -> set[Fraction]:
    """How many values a label has may be counted: three colours, four sizes, two variants."""
    counts: dict[str, int] = {}
    for fact in facts.facts:
        if fact.label not in UNLABELLED:
            counts[fact.label] = counts.get(fact.label, 0) + 1
    return {Fraction(count) for count in (*counts.values(), len(facts.variants)) if count > 1}
