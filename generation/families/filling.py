"""Template + values -> text: the words around a slot give way to the value in it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from generation.families.slots import SLOT
from generation.families.types import CannotFill, Family

REACH = 60
OPENERS = " \t\"'“”„‘’«»()[]*_>–—-•·"
STARTERS = ".!?…\n"
INDEFINITE = re.compile(r"(?<!\w)([Aa])n?( )$")
# By sound: "an 8 cm", "an 18-hour", "an XL", "an hour", "a unicorn".
SPELLED_OUT = re.compile(r"[A-Z](?![a-z])")
SPELLED_OPEN = "AEFHILMNORSX"
VOWEL_NUMBER = re.compile(r"8|1[18](?!\d)(?![.,]\d{3})")
VOWEL_WORD = re.compile(r"(?:hour|honest|heir|honou?r|(?!uni|use|eu|one\b|once\b|ubi)[aeiou])", re.IGNORECASE)
VOWELS = "aeiouàâäéèêëîïôöùûüœ"
ELIDED = re.compile(r"(?<!\w)([Dd])(e |['’])$")
# "l'{{color}}" would need the value's gender to become "le" or "la".
BOUND_ARTICLE = re.compile(r"(?<!\w)(?:l|un|dell|all|dall|nell|sull|quest|cett?)['’]$", re.IGNORECASE)
SPANISH_I, SPANISH_O = re.compile(r"h?[ií](?![ae])", re.IGNORECASE), re.compile(r"h?[oó]|8|11(?!\d)", re.IGNORECASE)
SPANISH_AND = re.compile(r"(?<!\w)([yYeE])( )$")
SPANISH_OR = re.compile(r"(?<!\w)([oOuU])( )$")
GERMAN_DATIVE = re.compile(r"(?<!\w)(?:mit|von|nach|seit|bei|aus|zu|in|ab|vor)(?: (?:je|ca\.|etwa))? $", re.IGNORECASE)
GERMAN_PLURAL = re.compile(r"\d (?:Jahre|Monate|Tage)$")
LAST_WORD = re.compile(r"([^\W\d_]+) $")
FIRST_WORD = re.compile(r"( )([^\W\d_]+)")
TITLE_WORD = re.compile(r"[A-ZÀ-Þ][^\s.!?:]*$")
AFTER_COLON = re.compile(r":\s*$")
WORD = re.compile(r"\S+")
SPACES = re.compile(r"(?<=\S) {2,}(?=\S)")


def fill(fields: Mapping[str, str], family: Family, language: str) -> dict[str, str]:
    """Every field with the family's values in its slots. Raises CannotFill."""
    values = dict(family.values)
    return {name: _filled(text, values, language) for name, text in fields.items()}


class Filling:
    """A template that is filled while it is still being written: only what no later word can change comes out."""

    def __init__(self, family: Family, language: str) -> None:
        self._values = dict(family.values)
        self._language = language
        self._written = self._given = ""

    def feed(self, piece: str) -> str:
        """What can be given now. Raises CannotFill."""
        self._written += piece
        return self._give(_settled(self._written))

    def close(self) -> str:
        return self._give(len(self._written))

    def _give(self, end: int) -> str:
        filled = _fill_slots(self._written, self._values, self._language, end)
        if not filled.startswith(self._given):  # a space that turned out to be one too many
            return ""
        new, self._given = filled[len(self._given) :], filled
        return new


def _settled(text: str) -> int:
    """How much of a text that goes on stands firm: a slot reads the whole word after it, and may change the one before.

    So the last two words are held back, and with them one that stands before a slot.
    """
    starts = [match.start() for match in WORD.finditer(text)][:-1]
    while starts and "{" in text[starts[-1] :].split(maxsplit=1)[0]:
        starts.pop()
    return starts[-1] if starts else 0


def _filled(text: str, values: Mapping[str, str], language: str) -> str:
    whole = _fill_slots(text, values, language, len(text))
    if "{{" in whole or "}}" in whole:
        raise CannotFill("A slot is not closed or not opened.")
    return whole


def _fill_slots(text: str, values: Mapping[str, str], language: str, end: int) -> str:
    """The text up to `end`, which is not inside of a slot."""
    done, position = "", 0
    for match in SLOT.finditer(text, 0, end):
        if match[1] not in values:
            raise CannotFill(f"The facts have nothing for {match[0]}.")
        done += text[position : match.start()]
        # What decides stands close by.
        tail, after = done[-REACH:], text[match.end() : match.end() + REACH]
        value = values[match[1]]
        done = done.removesuffix(tail) + _before(tail, value, language) + _value(tail, value, after, language)
        position = match.end()
    return SPACES.sub(" ", done + text[position:end])


def _before(done: str, value: str, language: str) -> str:
    """The text so far with its last word in the form that the value asks for."""
    if language == "en":
        return INDEFINITE.sub(lambda match: match[1] + ("n" if _sounds_open(value) else "") + match[2], done)
    if language in ("fr", "it") and BOUND_ARTICLE.search(done):
        raise CannotFill("An article that drops its vowel does not fit every value.")
    if language == "fr":
        is_open = value[0].lower() in VOWELS
        return ELIDED.sub(lambda match: match[1] + ("’" if is_open else "e "), done)
    if language == "es":
        conjoined = "e" if SPANISH_I.match(value) else "y"
        disjoined = "u" if SPANISH_O.match(value) else "o"
        done = SPANISH_OR.sub(lambda match: _like(match[1], disjoined) + match[2], done)
        return SPANISH_AND.sub(lambda match: _like(match[1], conjoined) + match[2], done)
    return done


def _value(done: str, value: str, after: str, language: str) -> str:
    """The value in the form that its place asks for, without a word that stands beside it already."""
    last, first = LAST_WORD.search(done), FIRST_WORD.match(after)
    head, _, tail = value.partition(" ")
    if tail and last and head.casefold() == last[1].casefold():
        value = tail
    body, _, unit = value.rpartition(" ")
    if body and first and unit.casefold() == first[2].casefold():
        value = body
    if language == "de" and GERMAN_DATIVE.search(done) and GERMAN_PLURAL.search(value):
        value += "n"
    if not value[0].islower():
        return value
    if _starts_sentence(done):
        return value[0].upper() + value[1:]
    return value.title() if _is_in_title(done, after) else value


def _like(model: str, letter: str) -> str:
    return letter.upper() if model.isupper() else letter


def _sounds_open(value: str) -> bool:
    """Whether English says "an" before it."""
    if value[0].isdigit():
        return VOWEL_NUMBER.match(value) is not None
    if SPELLED_OUT.match(value):
        return value[0] in SPELLED_OPEN
    return VOWEL_WORD.match(value) is not None


def _starts_sentence(done: str) -> bool:
    head = done.rstrip(OPENERS)
    return not head or head[-1] in STARTERS


def _is_in_title(done: str, after: str) -> bool:
    """Between two words of a name in capitals: "Linen Apron {{color}}" and "Alder {{color}} Apron"."""
    before = TITLE_WORD.search(done[:-1]) if done.endswith(" ") else None
    if before is None:
        return False
    head = done[: before.start()]
    is_in_name = not _starts_sentence(head) and not AFTER_COLON.search(head)
    return is_in_name or (after[:1] == " " and after[1:2].isupper())
