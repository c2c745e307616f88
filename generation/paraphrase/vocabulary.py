"""The lists of words compiled into one look-up by first word, per language of the text."""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from generation.facts import LANGUAGES
from generation.facts.lexicon.modifiers import COLORS_IN_CONTEXT
from generation.facts.lexicon.small_words import NUMBER_WORDS
from generation.facts.lexicon.tables import ANY_LANGUAGE, concepts, phrases
from generation.facts.vocabulary import AMBIGUOUS_ABROAD, inflections
from generation.paraphrase.spelling import fold_spelling

ENGLISH = "en"
# The kind of a value -> the lexicon's table of it.
TABLES = {"color": "colors", "material": "materials"}
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


@dataclass(frozen=True, slots=True)
class English:
    """What only English texts need: compounds, postpositions and plurals go by other rules elsewhere."""

    adjective_ends: tuple[str, ...]
    no_adjectives: frozenset[str]
    adjectives_behind: frozenset[str]
    adjectives_before: frozenset[str]
    purposes: frozenset[str]
    accessories: frozenset[str]
    animals: frozenset[str]
    animal_gear: frozenset[str]
    color_modifiers: frozenset[str]
    material_modifiers: frozenset[str]
    surfaces: frozenset[str]
    nouns: frozenset[str]
    material_nouns: frozenset[str]
    things: frozenset[str]
    fabrics: frozenset[str]
    containers: frozenset[str]
    parts: frozenset[str]
    measured_before: dict[str, str]
    measured_behind: dict[tuple[str, ...], str]
    materials: dict[str, str]
    irregular: dict[str, str]
    kept_plurals: frozenset[str]
    derived: dict[str, str]
    light: frozenset[str]
    features: frozenset[str]
    values: frozenset[str]  # the words of colours and materials
    hard_values: frozenset[str]  # those that name one alone, not the bottle of "bottle green"
    origins: frozenset[str]
    places: frozenset[str]
    holders: frozenset[str]
    vessels: frozenset[str]
    drinks: frozenset[str]
    context_colors: frozenset[str]
    described: frozenset[str]  # nouns that an adjective before them is said of, whatever follows
    worn: frozenset[str]
    qualities: dict[str, frozenset[str]]  # of some of these: the only words that are
    of_whole: frozenset[str]  # adjectives that say the same of a thing and of its material
    verbs: frozenset[str]  # as "reaching 8 bar" has them
    manners: frozenset[str]
    numbered: frozenset[str]
    tints: frozenset[str]  # colours that are other things as well, fabrics, patterns, scents and flavours
    consumed: frozenset[str]
    utensils: frozenset[str]
    named_devices: frozenset[str]
    bodies: frozenset[str]
    cosmetics: frozenset[str]
    inserts: frozenset[str]
    patterned: frozenset[str]
    called_by_ingredient: frozenset[str]
    ingredients: frozenset[str]
    devices: frozenset[str]
    device_holders: frozenset[str]
    beds: frozenset[str]
    bedding: frozenset[str]
    verb_names: frozenset[str]
    generic: dict[str, frozenset[str]]  # "wood" -> beech, which says it without that word
    takes: dict[str, frozenset[str]]  # thing -> what takes so many of it
    heads: dict[tuple[str, ...], str]
    usual: dict[str, tuple[str, ...]]  # thing -> sides


def warm_vocabularies() -> None:
    """Compiles every language's tables, for a process that has just started."""
    spoken_words()
    for language in LANGUAGES:
        vocabulary(language)


@cache
def vocabulary(language: str) -> Vocabulary:
    tables = _tables(language)
    entries = [
        *_listed(Entry("filler", ""), tables["filler"]),
        *((form, Entry("link", link)) for link, forms in tables["links"].items() for form in forms),
        *((form, Entry("audience", name)) for name, forms in tables["audiences"].items() for form in forms),
        *_properties(tables, language),
        *_synonyms(tables["synonyms"]),
        *_listed(Entry("keep", ""), phrases("expressions").get(language, [])),
        *(value for kind, table in TABLES.items() for value in _values(kind, table, (language, ENGLISH, ANY_LANGUAGE))),
        *((form, Entry("material", form)) for form in tables.get("matter", {}).get("words", ())),
    ]
    return Vocabulary(
        _compile(entries), frozenset(tables["instruction"]), frozenset(tables["polite"]), NUMBER_WORDS[language]
    )


@cache
def english() -> English:
    tables = _tables(ENGLISH)
    modifiers, purposes, plurals = tables["modifiers"], tables["purposes"], tables["plurals"]
    return English(
        adjective_ends=tuple(tables["properties"]["endings"]),
        no_adjectives=frozenset(tables["properties"]["nouns"]),
        adjectives_behind=frozenset(tables["properties"]["behind"]),
        adjectives_before=frozenset(tables["properties"]["before"]),
        purposes=frozenset(purposes["any"]),
        accessories=frozenset(purposes["accessories"]),
        animals=frozenset(purposes["animals"]),
        animal_gear=frozenset(purposes["animal_gear"]),
        color_modifiers=frozenset(modifiers["color"]),
        material_modifiers=frozenset(modifiers["material"]),
        surfaces=frozenset(modifiers["after"]),
        nouns=frozenset(modifiers["nouns"]),
        material_nouns=frozenset(modifiers["material_nouns"]),
        things=frozenset(modifiers["things"]),
        fabrics=frozenset(modifiers["fabrics"]),
        parts=frozenset(tables["parts"]["words"]),
        containers=frozenset(tables["containers"]["words"]),
        measured_before={form: side for side, forms in tables["measured"]["before"].items() for form in forms},
        measured_behind={
            tuple(form.split()): side for side, forms in tables["measured"]["behind"].items() for form in forms
        },
        materials=tables["materials"],
        irregular=plurals["irregular"],
        kept_plurals=frozenset(plurals["kept"]),
        derived={form: noun for part in ("derived", "verbs") for noun, forms in tables[part].items() for form in forms},
        light=frozenset(tables["light"]["words"]),
        features=frozenset(tables["features"]["words"]),
        values=frozenset(_value_words()),
        hard_values=frozenset(_value_words(most=1)),
        origins=frozenset(concepts("origins")),
        tints=frozenset(
            (*COLORS_IN_CONTEXT, *modifiers["fabrics"], *tables["flavors"]["words"], *tables["patterns"]["words"])
        ),
        verbs=frozenset(form for forms in tables["verbs"].values() for form in forms),
        manners=frozenset(tables["manners"]["words"]),
        numbered=frozenset(tables["numbered"]["words"]),
        holders=frozenset(tables["holders"]["words"]),
        drinks=frozenset(tables["holders"]["drinks"]),
        vessels=frozenset(tables["holders"]["vessels"]),
        described=frozenset(_described(tables)),
        worn=frozenset(tables["worn"]["words"]),
        qualities={noun: frozenset(words) for noun, words in tables["described"]["qualities"].items()},
        of_whole=frozenset(tables["described"]["of_whole"]),
        context_colors=frozenset(COLORS_IN_CONTEXT),
        places=frozenset(tables["places"]["words"]),
        consumed=frozenset(tables["consumed"]["words"]),
        named_devices=frozenset(tables["named_devices"]["words"]),
        utensils=frozenset(tables["utensils"]["words"]),
        bodies=frozenset(tables["bodies"]["words"]),
        cosmetics=frozenset(tables["cosmetics"]["words"]),
        inserts=frozenset(tables["inserts"]["words"]),
        patterned=frozenset(tables["patterned"]["words"]),
        called_by_ingredient=frozenset(tables["cosmetics"]["called_by_ingredient"]),
        ingredients=frozenset((*tables["cosmetics"]["ingredients"], *tables["flavors"]["words"])),
        devices=frozenset(tables["sized_by"]["devices"]),
        device_holders=frozenset(tables["sized_by"]["holders"]),
        beds=frozenset(tables["sized_by"]["beds"]),
        bedding=frozenset(tables["sized_by"]["bedding"]),
        verb_names=frozenset(tables["verbs"]),
        generic={name: frozenset(materials) for name, materials in tables["generic"].items()},
        takes={thing: frozenset(takers) for thing, takers in tables["takes"].items()},
        heads={tuple(form.split()): head for head, forms in tables["heads"].items() for form in forms},
        usual=_by_thing(tables["usual"]),
    )


def _described(tables: dict[str, Any]) -> Iterator[str]:
    yield from tables["described"]["words"]
    yield from tables["consumed"]["words"]
    yield from tables["features"]["words"]
    yield from tables["parts"]["words"]
    yield from tables["purposes"]["animals"]
    yield from tables["containers"]["words"]
    yield from tables["modifiers"]["things"]
    yield from _value_words()


def _by_thing(sides: dict[str, list[str]]) -> dict[str, tuple[str, ...]]:
    found: defaultdict[str, tuple[str, ...]] = defaultdict(tuple)
    for side, things in sides.items():
        for thing in things:
            found[thing] += (side,)
    return dict(found)


def _value_words(most: int | None = None) -> Iterator[str]:
    """Of values of so many words at the most."""
    for kind, table in TABLES.items():
        for _, entry in _values(kind, table, (ENGLISH, ANY_LANGUAGE)):
            words = entry.value.split()
            if most is None or len(words) <= most:
                yield from (fold_spelling(word) for word in words)


@cache
def spoken_words() -> dict[str, tuple[str, ...]]:
    """Word -> the languages it speaks for: small words, colours and materials."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for language in LANGUAGES:
        for form in _small_words(language) | (_values_abroad(language) if language != ENGLISH else set()):
            found[fold_spelling(form)].append(language)
    return {word: tuple(languages) for word, languages in found.items()}


def _small_words(language: str) -> set[str]:
    tables = _tables(language)
    links = (form for forms in tables["links"].values() for form in forms)
    words = {form for form in (*tables["filler"], *links) if " " not in form}
    if language == ENGLISH:
        return words | {form for form in tables["properties"]["words"] if " " not in form} | set(_value_words())
    return words - set(_tables(ENGLISH)["abroad"]["words"])


def _values_abroad(language: str) -> set[str]:
    """Colours and materials in that language that are no English words."""
    found: set[str] = set()
    for kind, table in TABLES.items():
        known = {fold_spelling(form) for form, _ in _values(kind, table, (ENGLISH, ANY_LANGUAGE))}
        found |= (
            {fold_spelling(form) for form, _ in _values(kind, table, (language,))}
            - known
            - {f"{form}s" for form in known}
        )
    return (
        {form for form in found if " " not in form}
        - AMBIGUOUS_ABROAD
        - COLORS_IN_CONTEXT.keys()
        - english().things
        - set(_tables(ENGLISH)["abroad"]["words"])
    )


@cache
def _tables(language: str) -> dict[str, Any]:
    text = files(f"{__package__}.lexicon").joinpath(f"{language}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


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
        for form in (*_forms(word, language), *name):
            yield form, Entry("property", word)


def _values(kind: str, table: str, languages: tuple[str, ...]) -> Iterator[tuple[str, Entry]]:
    """The first spelling of a concept is the concept; any other ("scarlet" under crimson) is a value of its own."""
    for concept, forms in concepts(table).items():
        for spoken in languages:
            for index, base in enumerate(forms.get(spoken, ())):
                entry = Entry(kind, concept if index == 0 else base)
                # "A tin" lid is of tin; "in a tin" is a container.
                if not base.startswith("a "):
                    yield from ((form, entry) for form in _forms(base, spoken))


def _forms(base: str, language: str) -> set[str]:
    """English adjectives have one form, and "woods" or "leathers" are other things than wood and leather."""
    return {base} if language in (ENGLISH, ANY_LANGUAGE) else inflections(base, language)


def _compile(entries: Iterable[tuple[str, Entry]]) -> dict[str, tuple[Phrase, ...]]:
    """Of two entries with one form the first wins."""
    found: defaultdict[str, dict[tuple[str, ...], Entry]] = defaultdict(dict)
    for form, entry in entries:
        first, *rest = (fold_spelling(word) for word in WORD.findall(form) if word != "-")
        found[first].setdefault(tuple(rest), entry)
    return {first: tuple(sorted(by.items(), key=lambda item: -len(item[0]))) for first, by in found.items()}
