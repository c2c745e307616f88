"""Colours in the language of a text: the lexicon's by their concept, a shop's own names as the shop writes them."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import NamedTuple

from generation.facts import LANGUAGES
from generation.facts.folding import fold
from generation.facts.lexicon.modifiers import COLORS_IN_CONTEXT
from generation.facts.lexicon.small_words import NONE_VALUES
from generation.facts.lexicon.tables import ANY_LANGUAGE, concepts
from generation.facts.statements import ITEMS
from generation.facts.vocabulary import facts_vocabulary, inflections, text_vocabulary
from generation.facts.words import Reading, word_key

Keys = tuple[str, ...]
# The word for colour, as labels have it, and the languages of such a label.
LABEL_WORDS = {
    "color": ("en",),
    "colors": ("en",),
    "shade": ("en",),
    "farbe": ("de",),
    "farben": ("de",),
    "farbton": ("de",),
    "couleur": ("fr",),
    "couleurs": ("fr",),
    "colores": ("es",),
    "colore": ("it",),
    "colori": ("it",),
    "kleur": ("nl",),
    "kleuren": ("nl",),
}
AND = {"en": "and", "de": "und", "fr": "et", "es": "y", "it": "e", "nl": "en"}
LONGEST_NAME = 3  # words
SHORTEST_NAME = 3  # letters
NAME = re.compile(r"[^\W\d_]+(?:[ '’-][^\W\d_]+)*")
# "Bleu nuit", "azul petróleo".
COLOR_FIRST = ("fr", "es", "it")
MOST_PARTS = 3
# They say that there is no one colour to name: "in clear" and "in assorted" are not said.
NO_COLORS = frozenset(
    {"assorted", "clear", "mixed", "multi", "multicolor", "multicolored", "natural", "various", "transparent", "bunt"}
    | {"mehrfarbig", "natur", "gemischt", "multicolore", "naturel", "varios", "trasparente", "naturale", "vari"}
    | {"meerkleurig"}
)


class Form(NamedTuple):
    concept: str
    base: str


def is_color_label(canonical: str, display: str) -> bool:
    return any(word in LABEL_WORDS for word in (*canonical.split(), *fold(display).split()))


@lru_cache(maxsize=4096)
def tell_color(value: str, display_label: str, language: str) -> str | None:
    """As it stands after "in" or a colon; None where it cannot be told in that language."""
    parts = ITEMS.split(value)
    if not all(parts) or len(parts) > MOST_PARTS:
        return None
    told = [_tell_part(part, display_label, language) for part in parts]
    known = [part for part in told if part is not None]
    return f" {AND[language]} ".join(known) if len(known) == len(told) else None


def _tell_part(part: str, display_label: str, language: str) -> str | None:
    keys = color_keys(part)
    own = forms_of(language).get(keys)
    if own is not None:
        return in_case(part if keys == color_keys(own.base) else own.base, language)
    if language == "en" and "".join(keys) in COLORS_IN_CONTEXT:
        return in_case(part, language)
    for other in LANGUAGES:
        if form := forms_of(other).get(keys):
            # "Colour: Petrol" may well be English, and what it is called elsewhere is another colour's name here.
            is_own = language in _languages_of(display_label)
            return None if is_own else _translated(keys, form, other, language)
    return in_case(part, language) if _is_name(part, keys, display_label, language) else None


def _translated(keys: Keys, form: Form, spoken: str, language: str) -> str | None:
    """Only the name of the colour itself and what holds it ("navy blue"): "maroon" is a kind of burgundy, and the table
    does not say which."""
    languages = concepts("colors")[form.concept]
    if language not in languages or not _is_read_as(form.concept, keys, language):
        return None
    if not set(languages.get(spoken, ["-"])[0].split()) <= set(form.base.split()):
        return None
    return in_case(languages[language][0], language)


def _is_read_as(concept: str, keys: Keys, language: str) -> bool:
    """Whether the output check takes the facts' word for that colour, and not "Braun" for the maker."""
    phrases = facts_vocabulary(language).phrases.get(keys[0], ())
    return any(rest == keys[1:] and entry.concept == concept for rest, entry in phrases)


def _is_name(part: str, keys: Keys, display_label: str, language: str) -> bool:
    """A name that the shop made up is quoted in the language of its label; "Moosgrün" is German under any."""
    if not 0 < len(keys) <= LONGEST_NAME or len(part) < SHORTEST_NAME or not NAME.fullmatch(part):
        return False
    if not NO_COLORS.isdisjoint(keys) or fold(part) in NONE_VALUES or _names_a_part(keys, language):
        return False
    foreign = [other for other in LANGUAGES if other != language and any((key,) in forms_of(other) for key in keys)]
    is_own = any((key,) in forms_of(language) for key in keys) or _is_compound(keys, language)
    return is_own or (language in _languages_of(display_label) and not foreign)


def _languages_of(display_label: str) -> set[str]:
    return {spoken for word in fold(display_label).split() for spoken in LABEL_WORDS.get(word, ())}


def _names_a_part(keys: Keys, language: str) -> bool:
    """ "Grey lid" and "oak frame" are no colours of the product, "heather grey" and "sea foam" are."""
    if len(keys) == 1:
        return False
    colors = [(key,) in forms_of(language) for key in keys]
    if any(colors):
        return not (colors[-1] or (colors[0] and language in COLOR_FIRST))
    phrases = text_vocabulary(language).phrases
    return any(entry.kind == "material" for key in keys for rest, entry in phrases.get(key, ()) if not rest)


def _is_compound(keys: Keys, language: str) -> bool:
    part = text_vocabulary(language).find_part(keys[-1])
    return len(keys) == 1 and part is not None and part.kind == "color"


def in_case(name: str, language: str) -> str:
    """Small letters within a sentence; a colour that stands alone is a noun in German."""
    if language == "de":
        return name[:1].upper() + name[1:]
    return name.lower()


def color_keys(name: str) -> Keys:
    return tuple(word.key for word in Reading(name).words)


@lru_cache(maxsize=4096)
def other_forms(value: str) -> frozenset[Keys]:
    """Every way in any language to say a colour of the value, as far as the lexicon knows it."""
    parts = [color_keys(part) for part in ITEMS.split(value)]
    found = {form.concept for language in LANGUAGES for keys in parts if (form := forms_of(language).get(keys))}
    return frozenset(parts).union(*(_forms_by_concept()[concept] for concept in found))


@cache
def forms_of(language: str) -> dict[Keys, Form]:
    forms: dict[Keys, Form] = {}
    for concept, languages in concepts("colors").items():
        for spoken in (language, ANY_LANGUAGE):
            for base in languages.get(spoken, ()):
                forms[color_keys(base)] = Form(concept, base)
                for inflected in inflections(base, spoken):
                    forms.setdefault(tuple(map(word_key, inflected.split())), Form(concept, base))
    return forms


@cache
def _forms_by_concept() -> dict[str, set[Keys]]:
    found: dict[str, set[Keys]] = {concept: set() for concept in concepts("colors")}
    for language in LANGUAGES:
        for keys, form in forms_of(language).items():
            found[form.concept].add(keys)
    return found
