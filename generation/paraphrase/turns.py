"""Turns of phrase that are rewritten in the text itself, before anybody looks for words and quantities in it."""

from __future__ import annotations

import re
from collections.abc import Callable

# "One-litre" and "two years' warranty".
SPELLED_NUMBERS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
    "eleven": 11, "twelve": 12, "fifteen": 15, "twenty": 20,
}  # fmt: skip
UNITS = (
    r"(?:lit(?:re|er)|(?:milli|centi|kilo)?met(?:re|er)|(?:kilo)?gram|kilo|inch(?:e(?=s))?"
    r"|minute|hour|day|week|month|year|watt|volt)s?"
)
UNIT_BEGINNINGS = ("lit", "met", "gram", "kilo", "inch", "min", "hour", "day", "week", "month", "year", "watt", "volt")
SPELLED_MEASURE = re.compile(
    rf"\b(?P<number>{'|'.join(SPELLED_NUMBERS)})[ -](?P<unit>{UNITS})(?:'s?)?(?!\w)", re.IGNORECASE
)

# "For ages 3 and up", "ages 3+", "suitable for children aged 3 and over", "from the age of 3". Nobody tells the age of
# babies in years without saying so.
AND_UP = r"(?:\+| and (?:up(?:wards)?|over|above|older)| or (?:over|older)| upwards?| onwards?)"
YOUNG = r"(?:children|kids|boys and girls)"
PLAYING = r"(?:children|kids|boys and girls|players|people|everyone|anyone)"
SUITED = r"(?:(?:suitable|suited|intended|recommended|designed|made) )?(?:for |from )?"
OF_AGE = r"(?:the )?age (?:of )?"
AGES = re.compile(
    rf"\b(?:{SUITED}(?:(?P<months>\d{{1,2}})(?:\+ months?| months?(?: of age)?{AND_UP})"
    rf"|(?:(?P<who>{PLAYING}) )?(?:ages? |aged |(?:from )?{OF_AGE})(?P<ages>\d{{1,2}})(?: years?)?{AND_UP}"
    rf"|(?P<years>\d{{1,2}})(?:\+ years?| years?{AND_UP}|[- ]year[- ]olds?{AND_UP}))"
    rf"|{SUITED}{YOUNG} from (?:{OF_AGE})?(?P<children>\d{{1,2}})(?P<unit> months?| years?|(?! ?\w))"
    rf"(?: (?:old|of age))?{AND_UP}?"
    rf"|(?:suitable |recommended )?from {OF_AGE}(?P<age>\d{{1,2}}))(?![\w-]|[.,]\d)",
    re.IGNORECASE,
)
# "Aged 3 to 6" is "3 to 6 years", "for babies aged 3 to 6 months" is "for babies, 3 to 6 months".
AGES_OF = re.compile(
    rf"\b(?:for )?(?:(?:{YOUNG}|players) )?(?:aged|ages|age) (?:from )?(?P<from>\d{{1,2}}) ?(?:-|to|and) ?"
    r"(?P<to>\d{1,2})(?! ?(?:month|week|year|-|\d|\w))",
    re.IGNORECASE,
)
AGED = re.compile(
    rf"\b(?P<who>{YOUNG}|babies|toddlers) (?:aged|of|from) (?=\d{{1,2}} ?(?:-|to) ?\d{{1,2}} (?:month|year)s?\b)",
    re.IGNORECASE,
)
# "For two to four players aged 8 and up" is for so many.
COUNTED = re.compile(r"(?:\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten)) $", re.IGNORECASE)
# "Max. load" ends no sentence.
ABBREVIATED = re.compile(r"\b(max|min|incl|excl|approx|vol|ca)\.", re.IGNORECASE)
# "No. 34" denies nothing.
NUMBERED = re.compile(r"\bno\. ?(?=\d)", re.IGNORECASE)
# "A strap that can be adjusted" is adjustable.
DONE = re.compile(
    r"(?P<as>\b(?:that|which) )?\bcan (?:also )?(?:easily )?be (?:easily )?(?P<verb>[a-z]{3,}ed|cut|hung|rolled up)\b"
)
ABLE = {
    "cut": "cuttable", "hung": "hangable", "rolled up": "rollable", "reversed": "reversible", "wiped": "wipeable",
    "compressed": "compressible", "converted": "convertible", "extended": "extendable", "detached": "detachable",
}  # fmt: skip
SOFT_ENDINGS = ("c", "g")
# "Charges via USB-C" and "USB-C charging".
BY_PORT = r"(?:via|by|over|through|using|with)(?: an?)? (?P<port>(?:micro[ -])?usb(?:[ -]c)?)\b(?! \w)"
CHARGED = re.compile(rf"\b(?:charges|charging|charged|is charged|are charged) {BY_PORT}", re.IGNORECASE)
RECHARGED = re.compile(rf"\brechargeable {BY_PORT}", re.IGNORECASE)
# "That resists heat" is heat-resistant, "compatible with touchscreens" touchscreen-compatible.
RESISTS = re.compile(
    r"\b(?:(?:that|which) )?resist(?:s|ing)? "
    r"(?P<what>heat|water|stain|scratch|frost|rust|corrosion|fire|flame|impact|tear|shock|dust|uv)(?:s|es)?\b",
    re.IGNORECASE,
)
COMPATIBLE = re.compile(
    r"\b(?!fully|widely|highly|also|is|are|and|or|not)(?P<what>[a-z]+|[A-Z]\w+)[ -]compatible\b(?! with)"
)
# "GOTS-certified" and "certified to GOTS" are "GOTS".
STANDARD = (
    r"(?:GOTS|OEKO-?TEX(?: (?:standard )?100)?|FSC|PEFC|GRS|RWS|TÜV|CE|Fairtrade|bluesign|BSCI|SA ?8000"
    r"|(?:EN|ISO|DIN|ASTM|ANSI) ?\d[\d.:-]*)"
)
CERTIFIED = re.compile(
    rf"\bcertified (?:to|by|under|according to|in accordance with) (?:the )?(?P<before>{STANDARD})(?: standard)?(?!\w)"
    rf"|\b(?P<behind>{STANDARD})[ -](?:certified|certification|certificate)\b"
)
# In English a comma before three digits groups them: nothing is 20.000 mAh or 1.000 pages.
GROUPED = re.compile(
    r"(?<![\d.,])(?P<thousands>[1-9]\d{0,2}),(?P<rest>\d00)"
    r"(?= ?(?:mah|dpi|rpm|lm|lumens?|lux|btu|hz|pieces?|sheets?|pages?|stitches|cycles|hours)\b)",
    re.IGNORECASE,
)
# "12 years old" whisky is "aged 12 years"; a toy for those of 12 years is not.
OLD = re.compile(
    r"(?<!for )(?<!from )\b(?P<years>\d{1,2})[ -]years?[ -]old\b(?! (?:and|or|child|girl|boy|kid)|s)", re.IGNORECASE
)
# "Dishwasher and microwave safe", "suitable for dishwasher and microwave".
MACHINE = r"(dishwasher|microwave|oven|freezer)"
UNDENIED = r"(?<!not )(?<!n't )(?<!non )(?<!non-)(?<!no )(?<!never )"
BOTH_SAFE = re.compile(rf"{UNDENIED}\b{MACHINE}-? (?:and|&) {MACHINE}[ -](?:safe|proof)\b", re.IGNORECASE)
SAFE_FOR_BOTH = re.compile(
    rf"{UNDENIED}\b(?:suitable|safe) for (?:the )?{MACHINE}s? (?:and|&) (?:the )?{MACHINE}s?\b(?! \w)", re.IGNORECASE
)
# "A 2-man tent".
MANNED = re.compile(r"(?<=\d)[- ]man (?=tent\b)", re.IGNORECASE)
# "700 x 28C" is "700x28C".
CROSSED = re.compile(r"(?<=\d) ?[x×] ?(?=\d+[A-Z]\b)")
# "W32 L34" and "W32/L34".
WAIST = re.compile(r"\b(W\d\d) ?/? ?(L\d\d)\b")
PER_AREA = re.compile(r"(?<=\d) ?(?:g|grams) per (?:square met(?:re|er)|m²|m2)(?!\w)")
# "Waterproof to 10 m" is so up to there, "heat-resistant to 230 °C" too.
RESISTING = re.compile(
    r"\b(?P<what>resistant|waterproof|watertight|submersible|ovenproof|oven[- ]safe|washable) "
    r"(?:up |down )?to (?:a depth of )?(?=-?\d)",
    re.IGNORECASE,
)
# Boots "down to -20 °C" are for -20 °C.
COLD = re.compile(r"(?<!rated )\b(?:suitable |usable |warm )?down to (?=-\d)", re.IGNORECASE)
# A wash at 60 degrees is one at 60 °C; 360 degrees of anything else may be an angle.
WASHED_AT = re.compile(
    r"(?P<wash>\bwash\w* (?:at|up to|to) (?:up to )?)(?P<degrees>30|40|60|90|95) ?(?:°|degrees)"
    r"(?! ?[CF]\b| (?:celsius|fahrenheit))",
    re.IGNORECASE,
)
HAS_DIGIT = re.compile(r"\d")
Rewriting = Callable[["re.Match[str]"], str]


def _in_digits(match: re.Match[str]) -> str:
    return f"{SPELLED_NUMBERS[match['number'].lower()]} {match['unit']}"


def _from_age(match: re.Match[str]) -> str:
    if match["months"]:
        return f"from {match['months']} months"
    if match["children"]:
        return f"from {match['children']}{match['unit'] or ' years'}"
    counted = COUNTED.search(match.string, 0, match.start())
    who = f"{match['who']}, " if match["who"] and counted else ""
    return f"{who}from {match['ages'] or match['years'] or match['age']} years"


def _able(match: re.Match[str]) -> str:
    verb = match["verb"]
    stem = verb[:-2]
    able = ABLE.get(verb) or f"{stem}{'e' if stem.endswith(SOFT_ENDINGS) else ''}able"
    return f"{match['as'] or ''}is {able}"


# Each with what a text must hold, in small letters, for its pattern to be worth looking for.
Rewritings = tuple[tuple[tuple[str, ...], re.Pattern[str], str | Rewriting], ...]
OF_WORDS: Rewritings = (
    (("no.",), NUMBERED, "number "),
    ((".",), ABBREVIATED, r"\1"),
    (UNIT_BEGINNINGS, SPELLED_MEASURE, _in_digits),
    (("can ",), DONE, _able),
    (("usb",), CHARGED, r"\g<port> charging"),
    (("usb",), RECHARGED, r"\g<port> rechargeable"),
    (("resist",), RESISTS, r"\g<what> resistant"),
    (("compatible",), COMPATIBLE, r"compatible with \g<what>"),
    (("safe", "proof"), BOTH_SAFE, r"\1 safe, \2 safe"),
    ((" for ",), SAFE_FOR_BOTH, r"\1 safe, \2 safe"),
    (("certifi",), CERTIFIED, lambda match: match["before"] or match["behind"]),
)
OF_NUMBERS: Rewritings = (
    (("month", "year", "age", "from"), AGES, _from_age),
    (("age",), AGES_OF, r"\g<from> to \g<to> years"),
    (("month", "year"), AGED, r"\g<who>, "),
    (("00",), GROUPED, r"\g<thousands>\g<rest>"),
    (("old",), OLD, r"aged \g<years> years"),
    (("x", "×"), CROSSED, "x"),
    (("w",), WAIST, r"\1/\2"),
    (("man ",), MANNED, " person "),
    (("per ",), PER_AREA, " g/m²"),
    (("down to",), COLD, ""),
    ((" to ",), RESISTING, r"\g<what> up to "),
    (("wash",), WASHED_AT, r"\g<wash>\g<degrees> °C"),
)


def rewritten(text: str) -> str:
    text = _rewritten(text, OF_WORDS)
    return _rewritten(text, OF_NUMBERS) if HAS_DIGIT.search(text) else text


def _rewritten(text: str, rewritings: Rewritings) -> str:
    small = text.casefold()
    for cues, pattern, rewriting in rewritings:
        for cue in cues:
            if cue in small:
                text = pattern.sub(rewriting, text)
                break
    return text
