"""What a text about these facts may state, indexed once per brief."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

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
    words: set[str] = set()
    codes: set[str] = set()
    sizes: set[str] = set()
    numbers: set[Fraction] = set(_counts(facts))
    quantities: set[tuple[str, Fraction]] = set()
    stated: set[str] = set()
    denied: set[str] = set()
    vocabularies = [facts_vocabulary(language)]
    if language != "en":
        # A German text that quotes "carbon steel" has the German word "carbon" in it.
        vocabularies.append(text_vocabulary(language))
    for fact in facts.facts:
        reading = Reading(statement(fact))
        keys = [word.key for word in reading.words]
        words.update(keys)
        codes.update(keys[i] + keys[i + 1] for i in range(len(keys) - 1))
        codes.update(keys[i] + keys[i + 1] + keys[i + 2] for i in range(len(keys) - 2))
        sizes.update(word.raw.upper() for word in reading.words if fact.label == "size" or word.raw in LETTER_SIZES)
        numbers.update(Fraction(ALL_NUMBER_WORDS[key]) for key in keys if key in ALL_NUMBER_WORDS)
        for measure in measures(reading.text):
            numbers.update(measure.values)
            if measure.unit and measure.unit is not COUNT:
                quantities.update((measure.unit.base, value) for value in measure.in_si())
        for vocabulary in vocabularies:
            for mention in find_mentions(reading, vocabulary, None):
                (denied if mention.negated else stated).add(mention.concept)
        if fact.label == "color":
            stated.update(COLORS_IN_CONTEXT[key] for key in keys if key in COLORS_IN_CONTEXT)
    denied.update([other for concept in stated for other in excluded(concept)])
    stated.update([general for concept in stated for general in broader(concept)])
    denied_words = tuple(found for fact in facts.facts if (found := _denied_words(fact)))
    return Known(
        words=frozenset(words),
        codes=frozenset(codes | words),
        sizes=frozenset(sizes),
        numbers=frozenset(numbers),
        quantities=frozenset(quantities),
        stated=frozenset(stated),
        denied=frozenset(denied),
        denied_words=denied_words,
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
    elif fact.canonical.startswith(
        ("text:not ", "text:nicht ", "text:no ", "text:without ", "text:ohne ", "text:sans ")
    ):
        reading = Reading(fact.value.partition(" ")[2])
    else:
        return ()
    return tuple(word.key for word in reading.words if word.key not in STOP_WORDS)[:6]


def _counts(facts: Facts) -> set[Fraction]:
    """How many values a label has may be counted: three colours, four sizes, two variants."""
    counts: dict[str, int] = {}
    for fact in facts.facts:
        counts[fact.label] = counts.get(fact.label, 0) + 1
    return {Fraction(count) for count in (*counts.values(), len(facts.variants)) if count > 1}
