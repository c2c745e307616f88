"""English grammar, as far as product facts need it."""

from __future__ import annotations

import re

from generation.families import has_slots
from generation.llm.providers.offline.english_lexicon import (
    COUNTABLE,
    DETERMINERS,
    MATERIALS,
    NO_NOUN,
    PROPER,
    UNCOUNTABLE,
)
from generation.llm.providers.offline.wording import is_negated

_SINGULAR_IN_S = re.compile(r"(?:ss|us|is|lens|canvas|gas|atlas|compass|series|gps)$")
_HEAD_ENDS = re.compile(r"\s(?:with|for|in|of|from|without|by|on|to|and|per|at)\s|[,(|&]|\s[–—-]\s", re.IGNORECASE)
_INITIALISM = re.compile(r"[A-Z](?:[A-Z]|-)")
_CODE = re.compile(r"[^a-z]*|.*\d.*|[A-Z.]{1,5}|\{\{.*")


def head_noun(phrase: str) -> str:
    """ "Padded sleeve for a laptop" -> "sleeve". Trailing sizes and model codes name nothing."""
    words = _HEAD_ENDS.split(phrase)[0].split()
    while len(words) > 1 and _CODE.fullmatch(words[-1]):
        words.pop()
    return re.sub(r"\W", "", words[-1]).casefold() if words else ""


def is_plural(phrase: str) -> bool:
    noun = head_noun(phrase)
    return len(noun) > 3 and noun.endswith("s") and not _SINGULAR_IN_S.search(noun)


def with_article(title: str) -> str:
    """ "the Linen apron"; none where the title brings its own or is not in Latin letters."""
    first = title.split()[0].casefold()
    if first in ("the", "a", "an", "my", "our", "your"):
        return f"{first} {title.split(maxsplit=1)[-1]}"
    if not re.match(r"[ -\u024f]", title):
        return title
    return f"the {title}"


def noun_phrase(feature: str) -> str | None:
    """The feature as part of a sentence, with its article; None for what may not be a plain noun phrase."""
    words = lower_first(feature)
    first, noun = words.split()[0].casefold(), head_noun(feature)
    if "," in words or first in NO_NOUN or noun in ("size", "fit"):
        return None
    if first[0].isdigit() or has_slots(first):
        return words if is_plural(feature) else None
    if first in DETERMINERS or noun in UNCOUNTABLE or is_plural(feature):
        return words
    return f"{_article(words)} {words}" if noun in COUNTABLE else None


def _article(words: str) -> str:
    """By sound: "an LED lamp", "a USB port"."""
    if _INITIALISM.match(words):
        return "an" if words[0] in "AEFHILMNORSX" else "a"
    vowel = words[0].casefold() in "aeiou" and not re.match(r"uni|use|eu|one", words, re.IGNORECASE)
    return "an" if vowel else "a"


def lower_first(text: str) -> str:
    """As it reads in mid-sentence: names, codes and abbreviations keep their capitals."""
    first = text.split(maxsplit=1)[0]
    letters = re.sub(r"[^\w]", "", first)
    if _is_name(text) or letters.casefold() in PROPER or re.search(r"\d|^.-|(?<!^)[A-Z]", first) or len(letters) < 2:
        return text
    return text[0].lower() + text[1:]


def lower_words(text: str) -> str:
    """ "Dark Brown" as "dark brown", for values that name no one."""
    return " ".join(lower_first(word) for word in text.split())


def _is_name(text: str) -> bool:
    """ "Responsible Down Standard" is one: capitals all the way."""
    words = [word for word in text.split() if word[0].isalpha()]
    return len(words) > 1 and all(word[0].isupper() for word in words)


def is_made_of(value: str) -> bool:
    """Every part is a material and nothing else: "70% wool, 30% nylon", not "beech frame, canvas seat"."""
    return not is_negated(value) and all(_is_material(part) for part in re.split(r",\s*|\s+and\s+", value))


def _is_material(part: str) -> bool:
    words = part.casefold().split()
    return bool(words) and words[-1] in MATERIALS
