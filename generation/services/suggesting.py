"""One click on a product's page: wishes that fit the product's own facts and the text as it stands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from generation.facts import LENGTHS, Fact, Facts
from generation.facts.folding import fold
from generation.models import Text
from generation.prompts import LANGUAGES as LANGUAGE_NAMES

MOST = 5
# What a text may begin with, the most telling first.
OPENINGS = ("material", "materials", "use", "purpose", "origin", "made in", "country of origin", "brand")
# Facts that say nothing to a reader, or are in the name already.
UNTOLD = ("title", "category", "feature", "sku", "ean", "gtin", "price", "tags", "vendor", "handle", "description")
LONGEST_LABEL = 24


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What a chip says and asks for: a wish about the text, or its translation into a language."""

    label: str
    language: str = ""


def suggestions(facts: Facts, text: Text, *, is_offline: bool) -> list[Suggestion]:
    """At most five; whatever is asked for stands in the facts, and is not what the text does already. The offline
    writer can follow only some."""
    return list(islice(_all(facts, text, is_offline), MOST))


def _all(facts: Facts, text: Text, is_offline: bool) -> Iterator[Suggestion]:
    length = LENGTHS.index(text.brief["length"])
    left_out = list(_left_out(facts, text))
    if length > 0:
        yield Suggestion("Shorter")
    wished = fold(text.brief["instructions"])
    yield from [each for each in left_out if fold(each.label) not in wished][:2]
    if not is_offline:
        yield from islice(_openings(facts, text), 1)
    if text.brief["tone"] != "friendly":
        yield Suggestion("Friendlier")
    if left_out and length + 1 < len(LENGTHS):
        yield Suggestion("Longer")
    if text.brief["tone"] != "technical":
        yield Suggestion("More technical")
    language = "en" if text.brief["language"] != "en" else "de"
    yield Suggestion(f"In {LANGUAGE_NAMES[language]}", language)


def _left_out(facts: Facts, text: Text) -> Iterator[Suggestion]:
    """Facts that no sentence stands on."""
    told = {label for row in text.evidence for label in row["labels"]}
    for fact in _tellable(facts):
        if fact.label not in told:
            yield Suggestion(f"Mention the {_spoken(fact)}")


def _openings(facts: Facts, text: Text) -> Iterator[Suggestion]:
    first: list[str] = next((row["labels"] for row in text.evidence), [])
    known = {fact.label: fact for fact in _tellable(facts)}
    for label in OPENINGS:
        if label in known and label not in first:
            spoken = _spoken(known[label])
            yield Suggestion(f"Begin with the {spoken}")


def _tellable(facts: Facts) -> Iterator[Fact]:
    seen: set[str] = set()
    for fact in facts.facts:
        if fact.label not in (*UNTOLD, *seen) and len(fact.display_label) <= LONGEST_LABEL:
            seen.add(fact.label)
            yield fact


def _spoken(fact: Fact) -> str:
    return fold(fact.display_label).replace("_", " ")
