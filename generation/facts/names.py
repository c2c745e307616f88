"""Brand-like names and codes that the facts do not hold."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from generation.facts.canonical import NO, YES
from generation.facts.counts import SHORTEST_NOUN
from generation.facts.known import Known
from generation.facts.lexicon.small_words import COMMON_CAPITALS, LETTER_SIZES, NONE_VALUES, STOP_WORDS
from generation.facts.mentions import BY_CAPITALS
from generation.facts.sentences import starts_sentence
from generation.facts.words import Reading, Word, covered

CAMEL = re.compile(r"[a-zà-ÿ][A-Z]")
ORDINAL = re.compile(r"\d+(?:st|nd|rd|th|er|ème|e|o|a)")
# A line that capitalises most of its words is a headline, not a list of names.
HEADLINE_SHARE = 0.6
# "Dimmable: YES" names nobody.
ANSWERS = YES | NO | NONE_VALUES
# Languages whose nouns begin with a capital.
CAPITALISED_NOUNS = frozenset(("de",))


def unknown_names(reading: Reading, known: Known, language: str, judged: set[int]) -> Iterator[Word]:
    """Words that read like a maker, a model or a code; `judged` are positions of words that another rule decides on."""
    headlines = set() if language in CAPITALISED_NOUNS else covered(reading.words, _headlines(reading))
    for position, word in enumerate(reading.words):
        if position in judged or word.raw.isdigit() or word.raw.islower() or _is_known(word, known):
            continue
        if _is_half_of_known(reading.words, position, known):
            continue
        if _is_code(word) or (
            language not in CAPITALISED_NOUNS
            and word.raw[0].isupper()
            and not starts_sentence(reading.text, word.start)
            and position not in headlines
            and not _is_expansion(reading, position, known)
        ):
            yield word


def _is_known(word: Word, known: Known) -> bool:
    key = word.key
    if key in known.codes or key in ANSWERS or key in COMMON_CAPITALS or key in STOP_WORDS or word.raw in BY_CAPITALS:
        return True
    others = [key.removesuffix("s"), key.removesuffix("es"), key + "s", key.removesuffix("n")]
    if key.endswith("y"):
        others.append(key[:-1] + "ies")
    return len(key) >= SHORTEST_NOUN and any(form in known.words for form in others)


def _is_half_of_known(words: Sequence[Word], position: int, known: Known) -> bool:
    """ "Bath robe" when the facts say "bathrobe"."""
    keys = [word.key for word in words[max(position - 1, 0) : position + 2]]
    return any(
        first + second in known.words and min(len(first), len(second)) >= SHORTEST_NOUN
        for first, second in pairwise(keys)
    )


def _is_expansion(reading: Reading, position: int, known: Known) -> bool:
    """ "Power Delivery" when the facts say "PD"."""
    words = reading.words
    first = last = position
    while first and words[first - 1].raw[0].isupper() and reading.between(words[first - 1], words[first]) == " ":
        first -= 1
    while (
        last + 1 < len(words)
        and words[last + 1].raw[0].isupper()
        and reading.between(words[last], words[last + 1]) == " "
    ):
        last += 1
    initials = "".join(word.key[0] for word in words[first : last + 1])
    return any(acronym in initials for acronym in known.acronyms if len(acronym) > 1) if last > first else False


def _is_code(word: Word) -> bool:
    """ "CamelCase", "X200", "ABC"; not "2nd", not a letter size (checked as a size)."""
    raw = word.raw
    if len(raw) < 2 or raw in LETTER_SIZES or ORDINAL.fullmatch(raw.lower()):
        return False
    has_digit = any(char.isdigit() for char in raw)
    return has_digit or raw.isupper() or bool(CAMEL.search(raw))


def _headlines(reading: Reading) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    start = 0
    for line in reading.text.splitlines(keepends=True):
        words = [word for word in re.findall(r"[^\W\d_]+", line) if len(word) > 3]
        capitals = sum(word[0].isupper() for word in words)
        if len(words) > 2 and capitals / len(words) >= HEADLINE_SHARE and not line.rstrip().endswith((".", "!")):
            spans.append((start, start + len(line)))
        start += len(line)
    return spans
