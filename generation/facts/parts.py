"""Which part is of what: "Blade: steel" and "Handle: oak" leave no room for an oak blade."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from generation.facts.lexicon.small_words import STOP_WORDS
from generation.facts.mentions import Mention, find_mentions
from generation.facts.statements import UNLABELLED
from generation.facts.types import Fact
from generation.facts.vocabulary import Vocabulary, broader
from generation.facts.words import Reading, stem

Parts = dict[tuple[str, str], frozenset[str]]  # (kind, stem of the part) -> concepts

KINDS = ("color", "material")
# These labels speak of the product, not of a part of it.
WHOLE = frozenset(
    ("color", "material", "finish", "fabric", "composition", "pattern", "surface", "ingredients", "farbe")
)
MOST_LABEL_WORDS = 2
# Between a part and what it is of: "the blade is made of steel".
LINKS = frozenset(
    {
        "is",
        "are",
        "was",
        "of",
        "in",
        "made",
        "from",
        "solid",
        "ist",
        "sind",
        "aus",
        "massivem",
        "massiver",
        "est",
        "sont",
    }
    | {"en", "de", "e", "sono", "di", "es", "son", "van", "zijn"}
)
LONGEST_LINK = 4


def parts_of(facts: Iterable[Fact], vocabulary: Vocabulary) -> Parts:
    found: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    free: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for fact in facts:
        reading = Reading(fact.value)
        mentions = [
            mention
            for mention in find_mentions(reading, vocabulary, None)
            if mention.kind in KINDS and not mention.negated
        ]
        for mention in mentions:
            for part in _parts_in(fact):
                found[mention.kind, part].add(mention.concept)
            for part in _parts_beside(reading, mention):
                free[mention.kind, part].add(mention.concept)
    return {key: frozenset(concepts | free.get(key, set())) for key, concepts in found.items()}


def is_misplaced(reading: Reading, mention: Mention, parts: Parts) -> bool:
    """Whether the text gives a part a material or colour that the facts give only to others."""
    if mention.kind not in KINDS or mention.negated:
        return False
    for part in _parts_beside(reading, mention):
        stated = parts.get((mention.kind, part))
        if stated is not None and not _is_implied(mention.concept, stated):
            return True
    return False


def _is_implied(concept: str, stated: frozenset[str]) -> bool:
    """Oak is wood, and where the part is wood the oak that the facts name elsewhere may be it."""
    return concept in stated.union(*map(broader, stated)) or not stated.isdisjoint(broader(concept))


def _parts_in(fact: Fact) -> list[str]:
    if fact.label in UNLABELLED or fact.label in WHOLE:
        return []
    words = [word.key for word in Reading(fact.display_label).words if word.key not in STOP_WORDS]
    return [stem(key) for key in words] if len(words) <= MOST_LABEL_WORDS else []


def _parts_beside(reading: Reading, mention: Mention) -> list[str]:
    """Stems of the part right behind the words ("oak handle") and of the one linked to them ("handle of oak")."""
    words = reading.words
    found = []
    after = mention.last + 1
    if after < len(words) and reading.between(words[mention.last], words[after]) in (" ", "-"):
        found.append(stem(words[after].key))
    before = mention.first - 1
    while before >= 0 and mention.first - before < LONGEST_LINK and words[before].key in LINKS:
        before -= 1
    if 0 <= before < mention.first - 1 and reading.between(words[before], words[before + 1]) == " ":
        found.append(stem(words[before].key))
    return found
