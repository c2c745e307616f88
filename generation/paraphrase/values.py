"""Colours and materials as a text has them, from the tables of the facts."""

from __future__ import annotations

from collections.abc import Iterator

from generation.facts.lexicon.tables import ANY_LANGUAGE, concepts
from generation.facts.vocabulary import inflections
from generation.paraphrase.lexicon.tables import ENGLISH
from generation.paraphrase.spelling import fold_spelling

# The kind of a value -> the lexicon's table of it.
TABLES = {"color": "colors", "material": "materials"}


def values_in(table: str, *languages: str) -> Iterator[tuple[str, str]]:
    """Form -> value. The first spelling of a concept is the concept; any other ("scarlet" under crimson) is a value of
    its own."""
    for concept, spellings in concepts(table).items():
        for language in languages:
            for index, base in enumerate(spellings.get(language, ())):
                value = concept if index == 0 else base
                # "A tin" lid is of tin; "in a tin" is a container.
                if not base.startswith("a "):
                    yield from ((form, value) for form in forms_of(base, language))


def forms_of(base: str, language: str) -> set[str]:
    """English adjectives have one form, and "woods" or "leathers" are other things than wood and leather."""
    return {base} if language in (ENGLISH, ANY_LANGUAGE) else inflections(base, language)


def english_value_words(most: int | None = None) -> Iterator[str]:
    """Of values of so many words at the most."""
    for table in TABLES.values():
        for _, value in values_in(table, ENGLISH, ANY_LANGUAGE):
            words = value.split()
            if most is None or len(words) <= most:
                yield from (fold_spelling(word) for word in words)
