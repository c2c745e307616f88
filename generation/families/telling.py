"""Which facts can fill a slot, in which words, and how those words are found again in the other facts."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from itertools import pairwise
from typing import NamedTuple

from generation.facts import Fact
from generation.facts.counts import PACKED
from generation.facts.folding import compose, fold
from generation.facts.lexicon.small_words import LETTER_SIZES, NONE_VALUES, SIZE_WORDS, STOP_WORDS
from generation.facts.lexicon.tables import concepts
from generation.facts.statements import UNLABELLED
from generation.facts.units import COUNT, SIDES, Measure, decimal_text, measures
from generation.facts.words import Reading, stem
from generation.families.color_names import AND, Keys, forms_of, is_color_label, other_forms, tell_color
from generation.families.unit_words import tell_unit

# A longer value is a statement, not a size or a code.
LONGEST_VALUE = 60
MOST_LISTED = 12
FEWEST_CODE_CHARS = 3
LONGEST_LETTER_SIZE = 4  # "xxxl" is spelt "XXXL"
LETTERS = "|".join(sorted(LETTER_SIZES, key=len, reverse=True))
SIZE_TOKEN = re.compile(
    rf"(?:{LETTERS})(?:\s?[/-]\s?(?:{LETTERS}))?|A\d{{1,2}}"
    r"|(?:(?:EU|UK|US|FR|IT|DE)\s?)?\d{1,3}(?:[.,]5)?(?:\s?[/-]\s?\d{1,3}(?:[.,]5)?)?"
)
WORD_SIZES = {
    "en": {"small", "medium", "large", "extra large", "one size", "child", "adult", "junior", "youth"},
    "de": {"klein", "mittel", "groß"},
    "fr": {"petit", "moyen", "grand"},
    "es": {"pequeño", "mediano", "grande"},
    "it": {"piccolo", "medio", "grande"},
    "nl": {"klein", "middel", "groot"},
}
ROUND = re.compile(r"[Øø⌀] ?")
UNIT_WORD = re.compile(r"[^\W\d_]{4,}$")
WHOLE_DECIMAL = re.compile(r"[.,]0+$")
NEGATED = ("not:", "bool:")
# Labels, as shops write them, whose values are names.
NAMED = {
    "en": {"scent", "fragrance", "flavor", "taste", "pattern", "print", "design", "country of origin", "made in"}
    | {"origin", "finish", "plating", "variety", "motif", "glaze"}
}
# Parts that variants have of one material or another.
MADE_PARTS = {
    "en": {"handle", "handles", "strap", "frame", "legs", "top", "base", "upper", "grip", "barrel", "shade", "wood"}
}
# Labels whose letters are sizes.
LETTERED = frozenset(("nib", "nib width", "nib size", "cup size"))
LETTER = re.compile(r"[A-Za-z]{1,2}")
NAME = re.compile(r"[^\W\d_]{3,}(?:[ '’-][^\W\d_]+)*")
LONGEST_NAME = 3  # words


class Told(NamedTuple):
    text: str
    form: str  # kind and grammatical class, shared by every value of a family: "quantity month many"
    keys: Keys = ()  # the words that other facts may repeat, and that a slot may stand for there
    shadows: frozenset[Keys] = frozenset()  # words that say the same in a form that a slot cannot take
    token: str = ""  # too ordinary to be looked for but where the text says that it is the size
    sizes: tuple[str, ...] = ()  # canonical measures, one after another
    number: str = ""  # how many, where other facts may say it without its unit
    nouns: frozenset[str] = frozenset()  # stems of what that number counts


def tell_values(facts: list[Fact], language: str) -> Told | None:
    """What fills the slot of one label; None when it stays as it is."""
    if facts[0].label in UNLABELLED or len(facts) > MOST_LISTED:
        return None
    told = [tell_value(fact, language) for fact in facts]
    known = [each for each in told if each is not None]
    if len(known) != len(told) or len({each.form for each in known}) > 1:
        return None
    if len(known) == 1:
        return known[0]
    texts = [each.text for each in known]
    if any(f" {AND[language]} " in text or "," in text for text in texts):
        return None
    return Told(
        text=list_in(texts, language),
        form=f"{known[0].form} list",
        shadows=frozenset().union(*({each.keys, *each.shadows} - {()} for each in known)),
    )


def list_in(values: list[str], language: str) -> str:
    """ "a, b and c"; Spanish "y" and Italian "e" change before their own sound."""
    last = AND[language]
    if language == "es" and re.match(r"h?i(?![ae])", fold(values[-1])):
        last = "e"
    return f"{', '.join(values[:-1])} {last} {values[-1]}"


@lru_cache(maxsize=8192)
def tell_value(fact: Fact, language: str) -> Told | None:
    value = fact.value
    if len(value) > LONGEST_VALUE or fact.canonical.startswith(NEGATED) or "{" in value or "}" in value:
        return None
    is_measured = fact.canonical.startswith("quantity:")
    if is_color_label(fact.label, fact.display_label) and not is_measured:
        return _tell_color(fact, language)
    if fact.label in LETTERED and LETTER.fullmatch(value):
        return Told(value.upper(), "size", token=value)
    if _is_size_label(fact) and (told := _tell_size(value, language)):
        return told
    if fact.canonical.startswith("code:"):
        return _tell_code(value)
    if fact.canonical.startswith(("quantity:", "number:", "count:")):
        return _tell_measure(fact, language)
    return (
        _tell_name(fact, language)
        or _tell_material_of_part(fact, language)
        or _tell_color_of_part(fact, language)
        or _tell_dimensions(value, language)
    )


def _tell_color_of_part(fact: Fact, language: str) -> Told | None:
    """ "Glaze: ochre", "Frame: black": a colour by its word, whatever it is the colour of."""
    keys = tuple(word.key for word in Reading(fact.value).words)
    return _tell_color(fact, language) if keys in forms_of(language) else None


def _tell_material_of_part(fact: Fact, language: str) -> Told | None:
    """ "Handle: olive wood": what a part is made of, where the label says that the shop speaks the text's language."""
    keys = tuple(word.key for word in Reading(fact.value).words)
    if fold(fact.display_label) not in MADE_PARTS.get(language, ()) or keys not in material_forms(language):
        return None
    return Told(_in_case(fact.value, is_place=False), "material", keys=keys)


@cache
def material_forms(language: str) -> frozenset[Keys]:
    bases = (base for forms in concepts("materials").values() for base in forms.get(language, ()))
    return frozenset(tuple(word.key for word in Reading(base).words) for base in bases)


def _tell_name(fact: Fact, language: str) -> Told | None:
    """What else differs inside a family: the scent of a candle, the origin of coffee beans. As the shop says it, so
    only where the label says that the shop speaks the text's language."""
    value, label = fact.value, fold(fact.display_label)
    if label not in NAMED.get(language, ()) or not NAME.fullmatch(value) or fold(value) in NONE_VALUES:
        return None
    keys = tuple(word.key for word in Reading(value).words)
    if len(keys) > LONGEST_NAME:
        return None
    return Told(_in_case(value, is_place=fact.label == "country of origin"), "name", keys=keys)


def _in_case(name: str, *, is_place: bool) -> str:
    """Small letters within a sentence, but for names with capitals of their own: "fig", "Earl Grey", "Kenya"."""
    if is_place:
        return name.title() if name.isupper() or name.islower() else name
    return name.lower() if name.isupper() or name[1:].islower() else name


def _is_size_label(fact: Fact) -> bool:
    """ "Size" and "Shoe size", not "Pack size"."""
    if fact.label == "size":
        return True
    words = Reading(fact.display_label).words
    return any(word.key in SIZE_WORDS for word in words) and not counts_packs(_counted(fact))


def _tell_color(fact: Fact, language: str) -> Told | None:
    text = tell_color(fact.value, fact.display_label, language)
    if text is None:
        return None
    keys = tuple(word.key for word in Reading(fact.value).words)
    return Told(text, "color", keys=keys, shadows=other_forms(fact.value) - {keys})


def _tell_size(value: str, language: str) -> Told | None:
    first, _, rest = value.partition(" ")
    bare = rest.strip() if rest and fold(first).strip(":") in SIZE_WORDS else value
    written = bare.upper() if len(bare) <= LONGEST_LETTER_SIZE else bare
    if SIZE_TOKEN.fullmatch(written):
        return Told(written, "size", token=written)
    if bare.casefold() in WORD_SIZES[language]:
        return Told(bare.capitalize() if language == "de" else bare.lower(), "size word", token=bare)
    return None


def _tell_code(value: str) -> Told | None:
    """ "X-200" and EANs; "Vintage" under "Style" is a word."""
    if len(value) < FEWEST_CODE_CHARS or not any(char.isdigit() for char in value):
        return None
    return Told(value, "code", keys=tuple(word.key for word in Reading(value).words))


def _tell_measure(fact: Fact, language: str) -> Told | None:
    composed = compose(fact.value).strip(" .,;")
    found = measures(composed)
    if len(found) != 1 or not found[0].values or found[0].values[0] == 0:
        return None
    measure = found[0]
    text = _quoted(composed, measure, language) if measure.is_ambiguous else _measure_text(composed, measure, language)
    if text is None:
        return None
    number = "one" if abs(measure.values[0]) == 1 else "many"
    if measure.unit is None:
        return Told(text, f"number {number}", number=decimal_text(measure.values[0]), nouns=_counted(fact))
    if measure.unit is COUNT:
        pieces = decimal_text(measure.values[0])
        return Told(text, f"count {number}", sizes=(measure.canonical,), number=pieces, nouns=frozenset(PACKED))
    # "2 metres" stand wherever "2 m" do; "1 metre" does not.
    spoken = " one" if number == "one" and UNIT_WORD.search(text) else ""
    return Told(text, f"quantity {measure.unit.base}{spoken}", sizes=(measure.canonical,))


def _quoted(composed: str, measure: Measure, language: str) -> str | None:
    """ "1,000 g", which is a kilogram or a gram, as the shop wrote it, where that can be said at all."""
    is_plain = measure.unit is not None and measure.start == 0 and measure.end == len(composed)
    return composed if is_plain and language == "en" and "," in measure.literal else None


def _tell_dimensions(value: str, language: str) -> Told | None:
    """ "40 x 28 cm" and "Ø 16 cm", with nothing else beside them."""
    sign = ROUND.match(value)
    composed = compose(value[sign.end() :] if sign else value)
    found = measures(composed)
    if len(found) < (1 if sign else 2) or any(each.is_ambiguous or each.unit is None for each in found):
        return None
    if found[0].start or found[-1].end != len(composed):
        return None
    if not all(SIDES.fullmatch(composed, one.end, two.start) for one, two in pairwise(found)):
        return None
    texts = [_measure_text(composed, measure, language) for measure in found]
    if None in texts:
        return None
    bases = " ".join(sorted({each.unit.base for each in found if each.unit}))
    text = " × ".join(text for text in texts if text)
    if sign:
        return Told(f"Ø {text}", f"dimensions round {bases}")
    return Told(text, f"dimensions {bases}", sizes=tuple(each.canonical for each in found))


def _measure_text(composed: str, measure: Measure, language: str) -> str | None:
    """The number in the language's format; the unit where the value writes one itself."""
    written = composed[measure.start : measure.end]
    if "/" in measure.literal or not written.removeprefix("-")[:1].isdigit():
        return _as_written(written, measure, language)
    number = number_in(measure.literal, language)
    spelling = composed[measure.number_end : measure.end].strip(" -")
    if measure.unit is None or not spelling:
        return number
    unit = tell_unit(_bare_piece(spelling), measure.unit, language, is_one=abs(measure.values[0]) == 1)
    if unit is None:
        return None
    joined = "" if unit in ('"', "°") or (unit == "%" and language == "en") else " "
    return f"{number}{joined}{unit}"


def _as_written(written: str, measure: Measure, language: str) -> str | None:
    """ "pack of 3" counts pieces; "1/2 inch" and "$5" are told as they stand."""
    if measure.unit is not COUNT:
        return written if language == "en" or not re.search(r"[^\W\d_]{3,}", written) else None
    unit = tell_unit("", COUNT, language, is_one=measure.values[0] == 1)
    return f"{number_in(measure.literal, language)} {unit}" if unit else None


def _bare_piece(spelling: str) -> str:
    """ "3er-Pack" and "3 pack" are three pieces."""
    return "" if spelling.casefold() in ("er-pack", "er-set", "pack", "packs") else spelling


def number_in(literal: str, language: str) -> str:
    """ "0.50" as "0,50" where decimals have a comma; whole numbers without a fraction of zero."""
    plain = WHOLE_DECIMAL.sub("", literal)
    return plain.replace(",", ".") if language == "en" else plain.replace(".", ",")


def _counted(fact: Fact) -> frozenset[str]:
    words = Reading(fact.display_label).words
    return frozenset(stem(word.key) for word in words if word.key not in STOP_WORDS)


def counts_packs(nouns: frozenset[str]) -> bool:
    return not nouns.isdisjoint(PACKED)
