"""The lexicon's tables compiled into one look-up by first word, per language and for facts in any language."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import NamedTuple

from generation.facts.folding import without_accents
from generation.facts.lexicon.modifiers import NO_FIRST_PART, NO_LAST_PART
from generation.facts.lexicon.small_words import FREE_AFTER
from generation.facts.lexicon.tables import ANY_LANGUAGE, BROADER, DENIES, OTHERWISE, concepts, phrases
from generation.facts.types import LANGUAGES
from generation.facts.words import word_key

ENDINGS: dict[str, tuple[str, ...]] = {
    ANY_LANGUAGE: ("", "s"),
    "en": ("", "s"),
    "de": ("", "e", "er", "es", "en", "em", "n", "s"),
    "fr": ("", "e", "s", "es"),
    "es": ("", "s", "es"),
    "it": ("",),
    "nl": ("", "e", "en", "s"),
}
# Final vowels that carry gender and number.
VOWEL_ENDINGS: dict[str, dict[str, tuple[str, ...]]] = {
    "es": {"o": ("a", "os", "as")},
    "it": {"o": ("a", "i", "e"), "e": ("i",), "a": ("e",)},
}
# Everyday words elsewhere: in facts of unknown language they prove nothing.
AMBIGUOUS_ABROAD = frozenset(
    {"or", "ors", "ore", "fer", "leer", "ton", "tons", "tone", "tonen", "rame", "tan", "rose", "lin", "lins", "tela"}
    | {
        "ante",
        "antes",
        "pile",
        "oros",
        "pin",
        "noce",
        "kant",
        "pelle",
        "pelli",
        "gres",
        "sole",
        "essen",
        "sauce",
        "tin",
    }
    | {"linden", "roos", "latte", "eier", "gist", "tire", "tache", "fume", "fuma", "attache", "spela", "pela", "pill"}
    | {"falten", "vlekken", "storm", "casse", "raya", "mancha", "perde", "pieghe", "gales", "waals", "galles", "bave"}
)
# The kind of a statement -> the table of its concepts. An earlier table wins a form that stands in two.
KINDS = {
    "substance": "substances",
    "claim": "claims",
    "certificate": "certificates",
    "color": "colors",
    "material": "materials",
    "ingredient": "ingredients",
    "food": "foods",
    "damage": "damages",
}
# Concepts whose mention states nothing unless it is negated: "never rusts", "paraben-free".
STATED_BY_ABSENCE = frozenset(("substance", "damage"))
COMPOUNDING = ("de", "nl")
SHADES = re.compile(r"(?:dunkel|hell|matt|tief|zart|knall|pastell|feuer|donker|licht|mat)(?=\w{3})")
SHORTEST_PART = 4
# What follows a material in words that only compare: "seidig", "samtweich".
COMPARING = re.compile(
    r"(?:ig|weich|artig|klar|hart|richtig|leicht|glatt|achtig|zacht|helder|hard|sterk)(?:e[nmrs]?)?|e[nrms]{0,2}|s"
)
# What follows a colour in words that name one: "rotbraun", "blaugestreift"; not "Rotwein" or "gründlich".
COLORED = re.compile(r"ge(?:streif|muster|punkt)|karier|meliert|farb|gekleurd|kleurig|gestreept|geruit")
SHORTEST_REST = 3


class Entry(NamedTuple):
    kind: str  # color, material, certificate, claim, origin, name, substance; "" for a fixed expression
    concept: str


Phrase = tuple[tuple[str, ...], Entry]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    phrases: dict[str, tuple[Phrase, ...]]  # by first word; the longest first, without that word
    parts: dict[str, Entry]  # materials and colours that compounds are made of

    def find_part(self, key: str) -> Entry | None:
        """The material or colour inside a compound: "Edelstahlflasche", "dunkelrot"."""
        if not self.parts or len(key) < SHORTEST_PART + 2:
            return None
        if (shade := SHADES.match(key)) and (entry := self.parts.get(key[shade.end() :])):
            return entry
        if NO_FIRST_PART.match(key):
            return None
        return self._first_part(key) or self._last_part(key)

    def _first_part(self, key: str) -> Entry | None:
        for length in range(len(key) - SHORTEST_REST, SHORTEST_PART - 1, -1):
            entry = self.parts.get(key[:length])
            if entry and not COMPARING.fullmatch(key, length) and self._is_compound(entry, key[length:]):
                return entry
        return None

    def _is_compound(self, first: Entry, rest: str) -> bool:
        return first.kind == "material" or COLORED.match(rest) is not None or self._is_color(rest)

    def _is_color(self, word: str) -> bool:
        entry = self.parts.get(word)
        return entry is not None and entry.kind == "color"

    def _last_part(self, key: str) -> Entry | None:
        for cut in range(SHORTEST_REST, len(key) - SHORTEST_PART + 1):
            if (entry := self.parts.get(key[cut:])) and not NO_LAST_PART.fullmatch(key[cut:]):
                return entry
        return None

    def find_freedom(self, key: str) -> Entry | None:
        """The substance in "zuckerfrei"."""
        for ending in FREE_AFTER:
            if (
                key.endswith(ending)
                and (found := self.phrases.get(key[: -len(ending)].rstrip("s")))
                and not found[-1][0]
            ):
                return found[-1][1]
        return None


# One thread compiles and the others wait: side by side, those of a process that has just started take a second each.
_compiling = Lock()


def text_vocabulary(language: str) -> Vocabulary:
    """For reading a text of that language."""
    with _compiling:
        return _text_vocabulary(language)


def facts_vocabulary(language: str) -> Vocabulary:
    """For reading facts, whose language nobody states; the brief's language settles what would be ambiguous."""
    with _compiling:
        return _facts_vocabulary(language)


@cache
def _text_vocabulary(language: str) -> Vocabulary:
    forms = [*_forms(language), *((expression, Entry("", "")) for expression in phrases("expressions")[language])]
    return Vocabulary(_compile(forms), _parts((language,)))


@cache
def _facts_vocabulary(language: str) -> Vocabulary:
    abroad = [form for other in LANGUAGES if other != language for form in _forms(other)]
    forms = [*_forms(language), *(form for form in abroad if form[0] not in AMBIGUOUS_ABROAD or form[0] in _english())]
    return Vocabulary(_compile(forms), _parts(COMPOUNDING))


def broader(concept: str) -> tuple[str, ...]:
    """What else is true of anything of that concept."""
    return _related(concept, BROADER)


def excluded(concept: str) -> tuple[str, ...]:
    """What is not true of anything of that concept."""
    return _related(concept, DENIES)


def otherwise(concept: str) -> tuple[str, ...]:
    """What may be said of anything of which that concept is denied."""
    return _related(concept, OTHERWISE)


@cache
def ingredients() -> frozenset[str]:
    return frozenset((*concepts("ingredients"), *concepts("foods")))


@cache
def _related(concept: str, relation: str) -> tuple[str, ...]:
    return tuple(
        other for table in (*KINDS.values(), "origins") for other in concepts(table).get(concept, {}).get(relation, ())
    )


@cache
def _english() -> frozenset[str]:
    return frozenset(form for form, _ in _forms("en"))


def _forms(language: str) -> Iterator[tuple[str, Entry]]:
    for kind, table in KINDS.items():
        for concept, languages in concepts(table).items():
            entry = Entry(kind, concept)
            for spoken in (language, ANY_LANGUAGE):
                for base in languages.get(spoken, ()):
                    yield from ((form, entry) for form in inflections(base, spoken))
    for concept, languages in concepts("origins").items():
        yield from ((form, Entry("origin", concept)) for base in languages[ANY_LANGUAGE] for form in _place_forms(base))
    yield from ((brand, Entry("name", brand)) for brand in phrases("brands")[ANY_LANGUAGE])


def _place_forms(base: str) -> Iterator[str]:
    """German adjectives of places are listed without their endings."""
    yield from (base + ending for ending in (ENDINGS["de"] if base.endswith("isch") else ("",)))


def inflections(base: str, language: str) -> set[str]:
    endings = {base + ending for ending in ENDINGS[language]}
    last = base[-1]
    return endings | {base[:-1] + vowel for vowel in VOWEL_ENDINGS.get(language, {}).get(last, ())}


def _compile(forms: list[tuple[str, Entry]]) -> dict[str, tuple[Phrase, ...]]:
    phrases: defaultdict[str, dict[tuple[str, ...], Entry]] = defaultdict(dict)
    for form, entry in forms:
        first, *rest = (word_key(word) for word in re.findall(r"[^\W_]+", form))
        phrases[first].setdefault(tuple(rest), entry)
        if entry.kind == "":
            phrases[first][tuple(rest)] = entry
    return {
        first: _shared(tuple(sorted(found.items(), key=lambda item: -len(item[0])))) for first, found in phrases.items()
    }


@cache
def _shared(phrases: tuple[Phrase, ...]) -> tuple[Phrase, ...]:
    """The same one for the same phrases: most stand in the vocabularies of all languages."""
    return phrases


def _parts(languages: tuple[str, ...]) -> dict[str, Entry]:
    parts: dict[str, Entry] = {}
    for language in set(languages) & set(COMPOUNDING):
        for kind in ("color", "material"):
            for concept, spoken in concepts(KINDS[kind]).items():
                listed = [base for base in spoken.get(language, ()) if " " not in base]
                # "Aluminiumfolie" as it is written, "aluminum" as its key is.
                bases = {*map(word_key, listed), *map(without_accents, listed)}
                shortest = 3 if kind == "color" else SHORTEST_PART
                parts.update((base, Entry(kind, concept)) for base in bases if len(base) >= shortest)
    return parts
