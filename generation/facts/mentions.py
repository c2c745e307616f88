"""Statements in a text that the lexicon knows: colours, materials, certificates, claims, origins, well-known brands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from generation.facts.lexicon.modifiers import (
    COLOR_WORDS_AFTER,
    COLOR_WORDS_BEFORE,
    COLORS_IN_CONTEXT,
    IMITATIONS,
    PLATED,
    SURFACES,
)
from generation.facts.lexicon.small_words import (
    FREE_AFTER,
    FREE_BEFORE,
    FREE_OF,
    NEGATION_UNDONE,
    NEGATORS,
    NO_WORDS,
    NONE_VALUES,
    QUOTED_NEGATORS,
    RESISTED_AFTER,
    RESISTING,
    SCENERY_AFTER,
    SCENERY_BEFORE,
    STOP_WORDS,
    TRAILING_NEGATORS,
)
from generation.facts.vocabulary import STATED_BY_ABSENCE, Entry, Vocabulary
from generation.facts.words import Reading, Word

ALL_NEGATORS = frozenset().union(*NEGATORS.values())
NOTHING = Entry("", "")
# In German small letters mark what is no noun: "samt" is "together with", "wollen" is "want".
WORDS_OF_LABEL = 4  # that stand between what is denied and the "no"
NO_NOUNS = frozenset(("samt", "wollen"))
# Materials whose absence is listed like that of a substance.
SHUNNED = frozenset(("silicone", "latex", "plastic", "pvc"))
# A negator reaches over so many words and so many of them that are no stop words: "not suitable for the dishwasher".
NEGATION_REACH = 5
CONTENT_REACH = 2
# Certificates that are everyday words in small letters.
BY_CAPITALS = {
    "CE": "ce",
    "GS": "gs mark",
    "UL": "ul",
    "REACH": "reach",
    "CPSIA": "cpsia",
    "ASTM": "astm",
    "DIN": "din",
}


class Mention(NamedTuple):
    kind: str
    concept: str
    negated: bool
    first: int  # positions in the reading's words
    last: int


def find_mentions(reading: Reading, vocabulary: Vocabulary, language: str | None) -> Iterator[Mention]:
    """`language` chooses the negators; None, for facts, takes those of every language."""
    negators = negators_of(language) if language else ALL_NEGATORS
    words = reading.words
    position = 0
    while position < len(words):
        length, entry, negated = _entry_at(words, position, vocabulary)
        if entry is None:
            position += 1
            continue
        last = position + length - 1
        if entry.kind in ("color", "material"):
            is_scenery = language is not None and entry.kind == "color" and _is_scenery(words, position, last)
            entry, last = (NOTHING, last) if is_scenery else _with_surface(reading, position, last, entry)
        if entry.kind == "damage" and _is_resisted(reading, last):
            last, negated = last + 1, True
        if entry.kind:
            negated = negated or _is_negated(reading, position, last, entry, negators)
            yield Mention(entry.kind, entry.concept, negated, position, last)
        position = last + 1


def negators_of(language: str) -> frozenset[str]:
    return NEGATORS[language] | QUOTED_NEGATORS


def _entry_at(words: list[Word], position: int, vocabulary: Vocabulary) -> tuple[int, Entry | None, bool]:
    word = words[position]
    if word.raw in NO_NOUNS:
        return 0, None, False
    for rest, entry in vocabulary.phrases.get(word.key, ()):
        if not rest or _follow(words, position + 1, rest):
            return 1 + len(rest), entry, False
    if word.raw in BY_CAPITALS:
        return 1, Entry("certificate", BY_CAPITALS[word.raw]), False
    if word.key in COLORS_IN_CONTEXT and _is_color_context(words, position):
        return 1, Entry("color", COLORS_IN_CONTEXT[word.key]), False
    if vocabulary.parts:
        if freed := vocabulary.find_freedom(word.key):
            return 1, freed, True
        if part := vocabulary.find_part(word.key):
            return 1, part, False
    return 0, None, False


def _follow(words: list[Word], position: int, keys: tuple[str, ...]) -> bool:
    if position + len(keys) > len(words) or words[position].key != keys[0]:
        return False
    return all(words[position + offset].key == key for offset, key in enumerate(keys))


def _is_color_context(words: list[Word], position: int) -> bool:
    before = words[position - 1].key if position else ""
    after = words[position + 1].key if position + 1 < len(words) else ""
    if after in COLOR_WORDS_AFTER:
        return True
    return before in COLOR_WORDS_BEFORE and (not after or words[position + 1].start > words[position].end + 1)


def _is_scenery(words: list[Word], first: int, last: int) -> bool:
    return (last + 1 < len(words) and words[last + 1].key in SCENERY_AFTER) or (
        first > 0 and words[first - 1].key in SCENERY_BEFORE
    )


def _with_surface(reading: Reading, first: int, last: int, entry: Entry) -> tuple[Entry, int]:
    """ "gold-plated", "marble look" and "faux marble" are facts of their own, not gold and marble."""
    words = reading.words
    if first and words[first - 1].key in IMITATIONS and reading.between(words[first - 1], words[first]) in " -":
        return Entry(entry.kind, f"imitation {entry.concept}"), last
    if (
        last + 1 < len(words)
        and words[last + 1].key in SURFACES
        and reading.between(words[last], words[last + 1]) in " -"
    ):
        surface = "plated" if words[last + 1].key in PLATED else "look"
        return Entry(entry.kind, f"{entry.concept} {surface}"), last + 1
    return entry, last


def _is_negated(reading: Reading, first: int, last: int, entry: Entry, negators: frozenset[str]) -> bool:
    words = reading.words
    if last + 1 < len(words):
        between, after = reading.between(words[last], words[last + 1]), words[last + 1].key
        if after in FREE_AFTER and between in "- ":
            # "latex free of charge": what is free *of* something denies that instead.
            return not (last + 2 < len(words) and words[last + 2].key in FREE_OF)
        if _is_answered_no(reading, last):
            return True
        if entry.kind in ("claim", "certificate") and _is_denied_after(reading, last):
            return True
    if entry.kind == "damage":
        negators = negators | RESISTING
    is_listed = entry.kind in STATED_BY_ABSENCE or entry.concept in SHUNNED
    return _is_denied_before(reading, first, negators, over_commas=is_listed)


def _is_answered_no(reading: Reading, last: int) -> bool:
    """ "Battery included: no"."""
    words = reading.words
    for position in range(last + 1, min(last + 1 + WORDS_OF_LABEL, len(words))):
        between = reading.between(words[position - 1], words[position])
        if ":" in between:
            return words[position].key in NO_WORDS | NONE_VALUES and _ends_clause(reading, position)
        if between != " ":
            return False
    return False


def _is_resisted(reading: Reading, last: int) -> bool:
    """ "tear-resistant"."""
    words = reading.words
    return (
        last + 1 < len(words)
        and words[last + 1].key in RESISTED_AFTER
        and reading.between(words[last], words[last + 1]) in "- "
    )


def _is_denied_after(reading: Reading, last: int) -> bool:
    """German and Dutch deny at the end of a clause: "in die Spülmaschine darf sie nicht"."""
    words = reading.words
    content = 0
    for position in range(last + 1, min(last + NEGATION_REACH, len(words))):
        if reading.between(words[position - 1], words[position]) != " ":
            return False
        if words[position].key in TRAILING_NEGATORS:
            return _ends_clause(reading, position)
        content += words[position].key not in STOP_WORDS
        if content == CONTENT_REACH:
            return False
    return False


def _ends_clause(reading: Reading, position: int) -> bool:
    """ "Vegan: no" ends there, "Vegan: no down" does not."""
    words = reading.words
    return position + 1 == len(words) or reading.between(words[position], words[position + 1]) != " "


def _is_denied_before(reading: Reading, first: int, negators: frozenset[str], *, over_commas: bool) -> bool:
    """A negator stands a few words before in the same clause; lists of what is absent ("no A, B or C") go on."""
    words = reading.words
    content = 0
    for back in range(first - 1, max(-1, first - 1 - NEGATION_REACH), -1):
        key = words[back].key
        between = reading.between(words[back], words[back + 1])
        if key in NEGATION_UNDONE or not (between in (" ", "-", "'") or (over_commas and between == ", ")):
            return False
        if key in negators or (key in FREE_OF and back and words[back - 1].key in FREE_BEFORE):
            return True
        content += key not in STOP_WORDS
        if content > CONTENT_REACH:
            return False
    return False
