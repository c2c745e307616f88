"""The lists of words compiled into one look-up by first word, per language of the text."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from generation.facts import LANGUAGES
from generation.facts.lexicon.modifiers import COLORS_IN_CONTEXT
from generation.facts.lexicon.small_words import NUMBER_WORDS
from generation.facts.lexicon.tables import ANY_LANGUAGE, phrases
from generation.facts.vocabulary import AMBIGUOUS_ABROAD
from generation.paraphrase.english import english
from generation.paraphrase.lexicon.tables import ENGLISH, words_in
from generation.paraphrase.spelling import fold_spelling
from generation.paraphrase.values import TABLES, english_value_words, forms_of, values_in

WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?|[^\w\s]")


class Entry(NamedTuple):
    kind: str  # filler, link, keep, word, property, audience, color, material
    value: str


Phrase = tuple[tuple[str, ...], Entry]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    phrases: dict[str, tuple[Phrase, ...]]  # by first word; the longest first, without that word
    instruction: frozenset[str]
    polite: frozenset[str]
    numbers: dict[str, int]


def warm_vocabularies() -> None:
    """Compiles every language's tables, for a process that has just started."""
    spoken_words()
    for language in LANGUAGES:
        vocabulary(language)


@cache
def vocabulary(language: str) -> Vocabulary:
    tables = words_in(language)
    entries = [
        *_listed(Entry("filler", ""), tables["filler"]),
        *((form, Entry("link", link)) for link, forms in tables["links"].items() for form in forms),
        *((form, Entry("audience", name)) for name, forms in tables["audiences"].items() for form in forms),
        *_properties(tables, language),
        *_synonyms(tables["synonyms"]),
        *_listed(Entry("keep", ""), phrases("expressions").get(language, [])),
        *(
            (form, Entry(kind, value))
            for kind, table in TABLES.items()
            for form, value in values_in(table, language, ENGLISH, ANY_LANGUAGE)
        ),
        *((form, Entry("material", form)) for form in tables.get("matter", {}).get("words", ())),
    ]
    return Vocabulary(
        _compile(entries), frozenset(tables["instruction"]), frozenset(tables["polite"]), NUMBER_WORDS[language]
    )


@cache
def spoken_words() -> dict[str, tuple[str, ...]]:
    """Word -> the languages it speaks for: small words, colours and materials."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for language in LANGUAGES:
        for form in _small_words(language) | (_values_abroad(language) if language != ENGLISH else set()):
            found[fold_spelling(form)].append(language)
    return {word: tuple(languages) for word, languages in found.items()}


def _small_words(language: str) -> set[str]:
    tables = words_in(language)
    links = (form for forms in tables["links"].values() for form in forms)
    words = {form for form in (*tables["filler"], *links) if " " not in form}
    if language == ENGLISH:
        return words | {form for form in tables["properties"]["words"] if " " not in form} | set(english_value_words())
    return words - set(words_in(ENGLISH)["abroad"]["words"])


def _values_abroad(language: str) -> set[str]:
    """Colours and materials in that language that are no English words."""
    found: set[str] = set()
    for table in TABLES.values():
        known = {fold_spelling(form) for form, _ in values_in(table, ENGLISH, ANY_LANGUAGE)}
        found |= (
            {fold_spelling(form) for form, _ in values_in(table, language)} - known - {f"{form}s" for form in known}
        )
    return (
        {form for form in found if " " not in form}
        - AMBIGUOUS_ABROAD
        - COLORS_IN_CONTEXT.keys()
        - english().things
        - set(words_in(ENGLISH)["abroad"]["words"])
    )


def _listed(entry: Entry, forms: Iterable[str]) -> Iterator[tuple[str, Entry]]:
    return ((form, entry) for form in forms)


def _synonyms(synonyms: dict[str, list[str]]) -> Iterator[tuple[str, Entry]]:
    """ "Bicycles" are bikes as well."""
    for word, forms in synonyms.items():
        for form in forms:
            yield form, Entry("word", word)
            if form.isalpha() and word.isalpha() and not form.endswith("s"):
                yield f"{form}s", Entry("word", f"{word}s")


def _properties(tables: dict[str, Any], language: str) -> Iterator[tuple[str, Entry]]:
    for word in tables["properties"]["words"]:
        name = tables["synonyms"].get(word, [])
        for form in (*forms_of(word, language), *name):
            yield form, Entry("property", word)


def _compile(entries: Iterable[tuple[str, Entry]]) -> dict[str, tuple[Phrase, ...]]:
    """Of two entries with one form the first wins."""
    found: defaultdict[str, dict[tuple[str, ...], Entry]] = defaultdict(dict)
    for form, entry in entries:
        first, *rest = (fold_spelling(word) for word in WORD.findall(form) if word != "-")
        found[first].setdefault(tuple(rest), entry)
    return {first: tuple(sorted(by.items(), key=lambda item: -len(item[0]))) for first, by in found.items()}
