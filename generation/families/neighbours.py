"""Which words may stand beside a slot, by language: words that say nothing about its value."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from generation.facts.words import word_key

# Fixed expressions that say nothing, whatever slot stands beside them.
EXPRESSIONS = re.compile(
    r" ?\b(?:at a glance|in detail|a short look at|as well as|more about|im überblick|im detail|en bref|en détail"
    r"|en resumen|en detalle|al detalle|in breve|nel dettaglio|in het kort|zeg maar hallo)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Neighbours:
    before: frozenset[str]  # keys of words
    after: frozenset[str]  # keys of words
    articles: frozenset[str]  # keys of words that speak of one product
    judging: frozenset[str]  # casefolded, with accents
    extents: re.Pattern[str]  # a slot and the word that tells its direction


@cache
def neighbours_in(language: str) -> Neighbours:
    tables = tomllib.loads(files(__package__).joinpath("neighbours.toml").read_text(encoding="utf-8"))
    words = {name: table[language].split() for name, table in tables.items()}
    return Neighbours(
        before=frozenset(map(word_key, words["before"])),
        after=frozenset(map(word_key, words["after"])),
        articles=frozenset(map(word_key, words["articles"])),
        judging=frozenset(word.casefold() for word in words["judging"]),
        extents=re.compile(rf"\}}\}} (?:{'|'.join(words['extents']) or '(?!)'})\b"),
    )
