"""English grammar, as far as product facts need it."""

from __future__ import annotations

import re
from functools import lru_cache

from generation.facts.lexicon.materials import MATERIALS
from generation.facts.lexicon.origins import ORIGINS

# Words that keep their capital inside a sentence.
_PROPER = frozenset(word for forms in ORIGINS.values() for form in forms.split("|") for word in form.split()) | frozenset(
    "monday tuesday wednesday thursday friday saturday sunday january february april june july august september october"
    " november december velcro teflon bluetooth lycra tencel cordura kevlar oxford scandinavian egyptian nordic".split()
)
_MATERIAL_WORDS = frozenset(
    form.split()[-1] for forms in MATERIALS.values() for form in forms.get("en", "").split("|") if form
)
_NOT_MATERIAL_ALONE = frozenset("metallic wooden woolen woollen fabric".split())

# What parts of products are called; these take an article.
_COUNTABLE = frozenset(
    "adapter back backrest bag band bar base basket battery belt bib blade board bottle bowl box brush buckle button cable cap"
    " case chain charger clasp clip closure collar compartment cord core cover cuff cup cushion dial dimmer display divider"
    " door drawcord drawer drawstring edge element eraser eyelet fastener filter flap footbox frame front grip groove handle"
    " hanger harness hem hinge holder holster hood hook igniter indicator inlay insert insole joint key kickstand knob label"
    " lamp lens lid light liner lining lock loop magnet mark mechanism mirror mode motor mount needle neck neckline net nozzle"
    " opening outsole pad panel pattern peg pen pin plate platform plug pocket pouch pump rack rail rim ring roll ruler scale"
    " screen screw seal seam seat sensor set shade sheath shelf shell shoulder skirt sleeve slot sole speaker spout spring"
    " stand stitch stopper strap string surface switch tab table tag tank thermometer timer tin tip toe tool top torch tray"
    " trim tube valve vent waist waistband wheel whistle window wire yoke zip zipper".split()
)
_UNCOUNTABLE = frozenset(
    "insulation charging padding stitching fabric embroidery lighting storage ventilation protection coating filling suspension"
    " cushioning wiring piping webbing boning elastic connectivity hardware edging lacing trimming binding".split()
)
_NUMBERS = frozenset("one two three four five six seven eight nine ten twelve a an the several".split())
_SINGULAR_IN_S = re.compile(r"(?:ss|us|is|lens|canvas|gas|atlas|compass|series|gps)$")
_HEAD_ENDS = re.compile(r"\s(?:with|for|in|of|from|without|by|on|to|and|per|at)\s|[,(|&]|\s[–—-]\s", re.IGNORECASE)
_CODE = re.compile(r"[^a-z]*|.*\d.*|[A-Z.]{1,5}")


def head_noun(phrase: str) -> str:
    """"Padded sleeve for a laptop" -> "sleeve". Trailing sizes and model codes name nothing."""
    words = _HEAD_ENDS.split(phrase)[0].split()
    while len(words) > 1 and _CODE.fullmatch(words[-1]):
        words.pop()
    return re.sub(r"\W", "", words[-1]).casefold() if words else ""


def is_plural(phrase: str) -> bool:
    noun = head_noun(phrase)
    return len(noun) > 3 and noun.endswith("s") and not _SINGULAR_IN_S.search(noun)


def with_article(title: str) -> str:
    """"the Linen apron"; none where the title brings its own or is not in Latin letters."""
    first = title.split()[0].casefold()
    if first in ("the", "a", "an", "my", "our", "your") or not title[0].isascii():
        return title
    return f"the {title}"


def noun_phrase(feature: str) -> str | None:
    """The feature as part of a sentence, with its article; None for what may not be a plain noun phrase."""
    words = lower_first(feature)
    first, noun = words.split()[0].casefold(), head_noun(feature)
    if "," in words or first in ("not", "for", "from", "up", "can", "is", "without"):
        return None
    if first in _NUMBERS or first == "no" or first[0].isdigit() or noun in _UNCOUNTABLE or is_plural(feature):
        return words
    return f"{_article(words)} {words}" if noun in _COUNTABLE else None


def _article(words: str) -> str:
    vowel = re.match(r"[aeiou]|[8LFMNRSX]-", words) and not re.match(r"(?:uni|use|usb|eu|one)", words, re.IGNORECASE)
    return "an" if vowel else "a"


def lower_first(text: str) -> str:
    """As it reads in mid-sentence: names, codes and abbreviations keep their capitals."""
    first = text.split(maxsplit=1)[0]
    letters = re.sub(r"[^\w]", "", first)
    if _is_name(text) or letters.casefold() in _PROPER or letters[1:] != letters[1:].lower() or len(letters) < 2:
        return text
    return text[0].lower() + text[1:]


def lower_words(text: str) -> str:
    """"Dark Brown" as "dark brown", for values that name no one."""
    return " ".join(lower_first(word) for word in text.split())


def _is_name(text: str) -> bool:
    """"Responsible Down Standard" is one: capitals all the way."""
    words = [word for word in text.split() if word[0].isalpha()]
    return len(words) > 1 and all(word[0].isupper() for word in words)


def is_made_of(value: str) -> bool:
    """Every part is a material and nothing else: "70% wool, 30% nylon", not "beech frame, canvas seat"."""
    return all(_is_material(part) for part in re.split(r",\s*|\s+and\s+|\s*/\s*(?=[a-z])", value))


@lru_cache(maxsize=2048)
def _is_material(part: str) -> bool:
    words = part.casefold().split()
    return bool(words) and words[-1] in _MATERIAL_WORDS and words[-1] not in _NOT_MATERIAL_ALONE
