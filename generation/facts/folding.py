"""Spellings of one text brought to one form. What folds together here counts as the same fact, so folding stays shy."""

from __future__ import annotations

import re
import unicodedata

# Controls, zero-width characters, bidirectional marks, variation selectors, soft hyphen, byte-order mark, and the tags
# of U+E0000, in which a whole text can hide that only a model reads.
INVISIBLE = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    r"\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff]"
)
SPACES = re.compile(r"\s+")
# NFKC would turn 10² into 102 and 1½ into 11/2.
SUPERSCRIPT_AFTER_DIGIT = re.compile(r"(?<=\d)(?=[⁰¹²³⁴-⁹])")
FRACTION_AFTER_DIGIT = re.compile(r"(?<=\d)(?=[¼-¾⅐-⅞])")
OTHER_DIGIT = re.compile(r"(?![0-9])\d")

PUNCTUATION = str.maketrans(
    {
        "‘": "'", "’": "'", "‚": "'", "‛": "'", "`": "'", "´": "'",
        "“": '"', "”": '"', "„": '"', "‟": '"', "«": '"', "»": '"',
        "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "−": "-",
        "⁄": "/", "∕": "/", "′": "'", "″": '"', "×": "x", "✕": "x", "✖": "x", "µ": "μ",
    }
)  # fmt: skip

# One spelling for words that British and American shops write differently.
SPELLINGS = {
    "grey": "gray", "greys": "grays", "colour": "color", "colours": "colors", "coloured": "colored",
    "colourful": "colorful", "aluminium": "aluminum", "fibre": "fiber", "fibres": "fibers", "microfibre": "microfiber",
    "centre": "center", "litre": "liter", "litres": "liters", "metre": "meter", "metres": "meters",
    "jewellery": "jewelry", "moulded": "molded", "mould": "mold", "sulphate": "sulfate", "sulphates": "sulfates",
    "odour": "odor", "flavour": "flavor", "flavours": "flavors", "flavoured": "flavored", "armour": "armor",
    "harbour": "harbor", "tyre": "tire", "tyres": "tires", "aluminiumfolie": "aluminumfolie", "organise": "organize",
    "organiser": "organizer", "organisers": "organizers", "customisable": "customizable", "bouclé": "boucle",
}  # fmt: skip
SPELLED = re.compile(r"\w+")


def clean(text: str) -> str:
    """As written, without what cannot be seen: the form in which a value is shown."""
    return SPACES.sub(" ", INVISIBLE.sub("", text)).strip()


def compose(text: str) -> str:
    """One code point sequence and one set of quotes, dashes and digits, case kept (units depend on it)."""
    if not text.isascii():
        text = FRACTION_AFTER_DIGIT.sub(" ", SUPERSCRIPT_AFTER_DIGIT.sub("^", text.translate(PUNCTUATION)))
        text = unicodedata.normalize("NFKC", text).translate(PUNCTUATION)
        text = OTHER_DIGIT.sub(_ascii_digit, text)
    else:
        text = text.replace("`", "'")
    return SPACES.sub(" ", INVISIBLE.sub("", text)).strip()


def fold_word(word: str) -> str:
    folded = word.casefold()
    return SPELLINGS.get(folded, folded)


def fold(text: str) -> str:
    """Case, spacing, quotes, dashes, digits and British spelling no longer tell two texts apart."""
    return SPELLED.sub(lambda match: fold_word(match[0]), compose(text))


def without_accents(word: str) -> str:
    if word.isascii():
        return word
    return "".join(c for c in unicodedata.normalize("NFD", word) if not unicodedata.combining(c))


def _ascii_digit(match: re.Match[str]) -> str:
    return str(unicodedata.decimal(match[0]))
