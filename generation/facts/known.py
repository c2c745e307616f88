"""What a text about these facts may state, indexed once per brief."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise

from generation.facts.lexicon.modifiers import COLORS_IN_CONTEXT
from generation.facts.lexicon.small_words import LETTER_SIZES, NUMBER_WORDS, STOP_WORDS
from generation.facts.mentions import find_mentions
from generation.facts.types import Fact, Facts
from generation.facts.units import COUNT, measures
from generation.facts.vocabulary import broader, excluded, facts_vocabulary, text_vocabulary
from generation.facts.words import Reading

ALL_NUMBER_WORDS = {word: value for language in NUMBER_WORDS.values() for word, value in language.items()}
NEGATED_STARTS = tuple(
    f"text:{word} " for word in ("not", "no", "without", "nicht", "ohne", "kein", "sans", "sin", "senza")
)
# Their labels say where a value stood, not what it means.
UNLABELLED = frozenset(("title", "brand", "category", "feature", "description"))


@dataclass(frozen=True, slots=True)
class Known:
    words: frozenset[str]
    codes: frozenset[str]  # up to three neighbouring words written as one: "x200" of "X-200"
    sizes: frozenset[str]
    numbers: frozenset[Fraction]
    quantities: frozenset[tuple[str, Fraction]]
    stated: frozenset[str]  # concepts
    denied: frozenset[str]
    denied_words: tuple[tuple[str, ...], ...]  # "not suitable for children"


@lru_cache(maxsize=32)
def known_from(facts: Facts, language: str) -> Known:
    index = _Index(language)
    for fact in facts.facts:
        index.add(fact)
    index.numbers |= _counts(facts)
    return index.known()


class _Index:
    def __init__(self, language: str) -> None:
        self.vocabularies = [facts_vocabulary(language)]
        if language != "en":
            # A German text that quotes "carbon steel" has the German word "carbon" in it.
            self.vocabularies.append(text_vocabulary(language))
        self.words: set[str] = set()
        self.codes: set[str] = set()
        self.sizes: set[str] = set()
        self.numbers: set[Fraction] = set()
        self.quantities: set[tuple[str, Fraction]] = set()
        self.stated: set[str] = set()
        self.denied: set[str] = set()
        self.denied_words: list[tuple[str, ...]] = []

    def add(self, fact: Fact) -> None:
        reading = Reading(statement(fact))
        self._add_words(fact, reading)
        self._add_numbers(reading)
        self._add_concepts(reading)
        if denied := _denied_words(fact):
            self.denied_words.append(denied)

    def _add_words(self, fact: Fact, reading: Reading) -> None:
        keys = [word.key for word in reading.words]
        self.words.update(keys)
        self.codes.update(keys)
        self.codes.update(first + second for first, second in pairwise(keys))
        self.codes.update("".join(keys[i : i + 3]) for i in range(len(keys) - 2))
        self.sizes.update(
            word.raw.upper() for word in reading.words if fact.label == "size" or word.raw in LETTER_SIZES
        )
        self.numbers.update(Fraction(ALL_NUMBER_WORDS[key]) for key in keys if key in ALL_NUMBER_WORDS)
        if fact.label == "color":
            self.stated.update(COLORS_IN_CONTEXT[key] for key in keys if key in COLORS_IN_CONTEXT)

    def _add_numbers(self, reading: Reading) -> None:
        for measure in measures(reading.text):
            self.numbers.update(measure.values)
            if measure.unit and measure.unit is not COUNT:
                self.quantities.update((measure.unit.base, value) for value in measure.in_si())

    def _add_concepts(self, reading: Reading) -> None:
        for vocabulary in self.vocabularies:
            for mention in find_mentions(reading, vocabulary, None):
                (self.denied if mention.negated else self.stated).add(mention.concept)

    def known(self) -> Known:
        return Known(
            words=frozenset(self.words),
            codes=frozenset(self.codes),
            sizes=frozenset(self.sizes),
            numbers=frozenset(self.numbers),
            quantities=frozenset(self.quantities),
            stated=frozenset(self.stated.union(*map(broader, self.stated))),
            denied=frozenset(self.denied.union(*map(excluded, self.stated))),
            denied_words=tuple(self.denied_words),
        )


def statement(fact: Fact) -> str:
    """A fact as words: the label of a yes is what is true, that of a no what is not."""
    if fact.canonical == "bool:yes":
        return fact.display_label
    if fact.canonical == "bool:no":
        return f"not {fact.display_label}"
    return fact.value if fact.label in UNLABELLED else f"{fact.display_label}: {fact.value}"


def _denied_words(fact: Fact) -> tuple[str, ...]:
    if fact.canonical.startswith("not:"):
        return (fact.canonical.removeprefix("not:"),)
    if fact.canonical == "bool:no":
        reading = Reading(fact.display_label)
    elif fact.canonical.startswith(NEGATED_STARTS):
        reading = Reading(fact.value.partition(" ")[2])
    else:
        return ()
    return tuple(word.key for word in reading.words if word.key not in STOP_WORDS)[:6]


def _counts(facts: Facts) -> set[Fraction]:
    """How many values a label has may be counted: three colours, four sizes, two variants."""
    counts: dict[str, int] = {}
    for fact in facts.facts:
        if fact.label not in UNLABELLED:
            counts[fact.label] = counts.get(fact.label, 0) + 1
    return {Fraction(count) for count in (*counts.values(), len(facts.variants)) if count > 1}
