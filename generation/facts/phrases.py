"""Claims that no single word makes: what comes in the box, where something was made, who designed it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from generation.facts.known import Known
from generation.facts.lexicon.small_words import NEGATORS, STOP_WORDS
from generation.facts.words import Reading, Word, stem

Claim = tuple[str, int, int]  # kind of complaint, start, end

INCLUDED = re.compile(
    r"\b(?:is|are) (?:also )?(?:included|supplied|provided|thrown in)\b|\bcomes? free\b", re.IGNORECASE
)
# German: every noun has a capital, so only the words before it tell a place from a thing.
MADE_IN = re.compile(
    r"\b(?i:gefertigt|hergestellt|genäht|gewebt|produziert|entworfen|entwickelt|geschmiedet|gebrannt|geröstet|gebraut"
    r"|abgefüllt|gestrickt|gedreht|montiert|gegossen|getöpfert|gegerbt|designt) "
    r"(?:in der|in den|in|im|am|an der|bei|auf der)"
    r"|\b(?:stammt|stammen) (?:aus der|aus dem|aus|vom|von der|von)\b"
)
NO_PLACES = frozenset(
    stem(word)
    for word in (
        "serie",
        "form",
        "handarbeit",
        "schichten",
        "stufen",
        "farben",
        "varianten",
        "grosse",
        "alltag",
        "natur",
    )
)
PERSON = re.compile(
    r"\b(?:(?:Dr|Prof)\.(?: (?:med|phil|Dr)\.)*"
    r"|(?:Designer|Architekt|Künstler|Meister|Sternek|Spitzenk|Profik)(?:in|och|öchin)?"
    r"|Koch|Köchin|Gründer(?:in)?|Familie)(?= [A-ZÄÖÜ])"
)


def phrase_claims(reading: Reading, known: Known, language: str) -> Iterator[Claim]:
    for find in FINDERS.get(language, ()):
        yield from find(reading, known)


def _unknown_inclusions(reading: Reading, known: Known) -> Iterator[Claim]:
    """ "A leather sheath is included" of a knife whose facts name no sheath."""
    for match in INCLUDED.finditer(reading.text):
        before = [word for word in reading.words if word.end < match.start()][-3:]
        content = [word for word in before if word.key not in STOP_WORDS]
        if content and not _is_known(content[-1], known) and not {w.key for w in before} & NEGATORS["en"]:
            yield "claim", content[-1].start, match.end()


def _unknown_places(reading: Reading, known: Known) -> Iterator[Claim]:
    for match in MADE_IN.finditer(reading.text):
        word = next(iter(reading.words_from(match.end())), None)
        if word and word.raw[0].isupper() and not _is_known(word, known) and stem(word.key) not in NO_PLACES:
            yield "claim", word.start, word.end


def _unknown_people(reading: Reading, known: Known) -> Iterator[Claim]:
    for match in PERSON.finditer(reading.text):
        for word in reading.words_from(match.end())[:2]:
            if word.raw[0].isupper() and not _is_known(word, known):
                yield "name", word.start, word.end


def _is_known(word: Word, known: Known) -> bool:
    return stem(word.key) in known.stems


FINDERS: dict[str, tuple[Callable[[Reading, Known], Iterator[Claim]], ...]] = {
    "en": (_unknown_inclusions,),
    "de": (_unknown_places, _unknown_people),
}
