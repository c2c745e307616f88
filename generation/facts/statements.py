"""A fact as the words that state it, and what it denies."""

from __future__ import annotations

import re

from generation.facts.folding import fold
from generation.facts.lexicon.small_words import ABSENCE_LABELS, NONE_VALUES, STOP_WORDS
from generation.facts.types import Fact
from generation.facts.words import Reading

NEGATED_STARTS = tuple(
    f"text:{word} " for word in ("not", "no", "without", "nicht", "ohne", "kein", "sans", "sin", "senza")
)
# Their labels say where a value stood, not what it means.
UNLABELLED = frozenset(("title", "brand", "category", "feature", "description"))
ITEMS = re.compile(r"\s*[,;/|•]\s*|\s+(?:and|und|et|y|e|en|or|oder|ou|o|of|&|\+)\s+")
MOST_DENIED_WORDS = 6


def statement(fact: Fact) -> str:
    """The label of a yes is what is true, that of a no what is not; "Without: A, B" denies each."""
    if fact.canonical == "bool:yes":
        return fact.display_label
    if fact.canonical == "bool:no" or fold(fact.value) in NONE_VALUES:
        return f"not {fact.display_label}"
    if fact.label in ABSENCE_LABELS:
        return ", ".join(f"not {item}" for item in items(fact.value))
    return fact.value if fact.label in UNLABELLED else f"{fact.display_label}: {fact.value}"


def items(value: str) -> list[str]:
    """ "hot, cold and mild" as its three parts."""
    return [item for item in ITEMS.split(value) if item]


def denied_words(fact: Fact) -> tuple[str, ...]:
    """What a fact says in so many words is not so: "not suitable for children"."""
    if fact.canonical.startswith("not:"):
        return (fact.canonical.removeprefix("not:"),)
    if fact.canonical == "bool:no":
        reading = Reading(fact.display_label)
    elif fact.canonical.startswith(NEGATED_STARTS):
        reading = Reading(fact.value.partition(" ")[2])
    else:
        return ()
    return tuple(word.key for word in reading.words if word.key not in STOP_WORDS)[:MOST_DENIED_WORDS]
