"""Claims made with an ending, whatever stands before it: "tear-resistant", "wrinkle-free", "reißfest"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from generation.facts.known import Known
from generation.facts.lexicon.small_words import STOP_WORDS
from generation.facts.words import Reading, stem

RESISTING = frozenset(("proof", "resistant", "repellent", "retardant"))
ENDS = RESISTING | {"free"}
# What stands before these is what is inside: "peppermint oil", "Rosmarinextrakt".
EXTRACTED = frozenset(("oil", "extract", "vinegar"))
EXTRACTS = {"de": re.compile(r"\w{3,}(?:ol|extrakt|essig)"), "nl": re.compile(r"\w{3,}(?:olie|extract|azijn)")}
NO_EXTRACTS = frozenset(
    ("the", "essential", "engine", "machine", "motor", "an", "any", "more", "its", "this", "natural")
)
# Promises that nobody can be held to.
HARMLESS = frozenset(
    {"hassle", "stress", "worry", "care", "fuss", "mess", "trouble", "hands", "guilt", "effort", "clutter", "pain"}
    | {"fool", "distraction", "tangle", "feel", "toll", "duty", "set", "for"}
)
# The same as one word; without accents, as keys are.
ENDINGS = {
    "en": re.compile(r"\w{3,}proof"),
    "de": re.compile(r"\w{3,}(?:fest|dicht|bestandig|abweisend|hemmend)(?:e[nrms]?)?"),
    "nl": re.compile(r"\w{3,}(?:bestendig|afstotend|werend|dicht)e?"),
}
HARMLESS_WORDS = re.compile(r"foolproof|\w*(?:manifest|gedicht|oktoberfest)e?|bombenfest|stressfest")
INFLECTIONS = ("", "e", "en", "er", "es", "em")


def unlisted_claims(reading: Reading, known: Known, language: str, listed: set[int]) -> Iterator[tuple[int, int]]:
    """Spans of such claims that the facts do not make; `listed` are positions of words that a table already judged."""
    words = reading.words
    for position, (word, following) in enumerate(pairwise(words)):
        is_joined = following.key in ENDS and reading.between(word, following) == "-" and word.key not in HARMLESS
        if is_joined and not {position, position + 1} & listed and word.key + following.key not in known.codes:
            yield word.start, following.end
    ending = ENDINGS.get(language)
    if ending is None or (language != "en" and known.words & RESISTING):
        # Facts in English may hold the same claim under an English word.
        return
    for position, word in enumerate(words):
        if position in listed or not ending.fullmatch(word.key) or HARMLESS_WORDS.fullmatch(word.key):
            continue
        if not any(word.key.removesuffix(inflection) in known.codes for inflection in INFLECTIONS):
            yield word.start, word.end


def unlisted_extracts(reading: Reading, known: Known, language: str, listed: set[int]) -> Iterator[tuple[int, int]]:
    """Oils, extracts and vinegars that the facts do not hold, in texts about what consists of ingredients."""
    if not known.has_ingredients:
        return
    pattern = EXTRACTS.get(language)
    for position, word in enumerate(reading.words):
        if position in listed:
            continue
        if pattern and word.raw[0].isupper() and pattern.fullmatch(word.key) and stem(word.key) not in known.stems:
            yield word.start, word.end
        before = reading.words[position - 1] if position else None
        if language == "en" and word.key in EXTRACTED and before and position - 1 not in listed:
            is_said = stem(before.key) in known.stems or before.key in NO_EXTRACTS or before.key in STOP_WORDS
            if not is_said and reading.between(before, word) == " ":
                yield before.start, word.end
