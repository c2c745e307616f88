"""What is wrong with a text as a text: empty, too long, off its subject, or not meant for a shop's page."""

from __future__ import annotations

import re
from collections.abc import Iterator

from generation.facts.known import Known
from generation.facts.lexicon.small_words import STOP_WORDS
from generation.facts.types import WORD_BUDGETS, Brief, Complaint
from generation.facts.words import Reading

LENGTH_TOLERANCE = 1.6
FEWEST_WORDS = 3
STEM = 5
# From so many words on, a text in another language than its facts may share no word with them.
PROSE_WORDS = 8

URL = re.compile(
    r"(?:https?://|www\.)\S+|\b[\w-]{1,60}\.(?:com|de|fr|net|org|shop|io|co\.uk)\b(?:/\S*)?", re.IGNORECASE
)
TAG = re.compile(r"</?[a-z][^<>]{0,200}>|<!--|<script|&(?:lt|gt|amp|nbsp|quot|#\d+);", re.IGNORECASE)
# Answers to whoever ordered the text, and placeholders that were never filled.
LEAK = re.compile(
    "|".join(
        (
            r"\bas an ai\b",
            r"\blanguage model\b",
            r"\bhere(?:'s| is| are) (?:an?|the|your|my|some)\b[^.\n]{0,60}?\b(?:description|text|copy|version|draft)\b",
            r"\b(?:sure|certainly|of course)[,!] (?:here|i)\b",
            r"\bi(?:'m| am) (?:sorry|unable)\b",
            r"\bi can(?:not|'t)\b",
            r"\bals ki\b",
            r"\bhier ist (?:eine|die|der|deine|ihre) (?:\w+ )?(?:produkt)?(?:beschreibung|text)",
            r"\bvoici (?:une|la|votre) (?:\w+ )?(?:description|fiche)",
            r"\baquí (?:tienes|está) (?:una|la) (?:\w+ )?descripción",
            r"\becco (?:una|la|il) (?:\w+ )?(?:descrizione|testo)",
            r"\bhier is (?:een|de) (?:\w+ )?(?:product)?beschrijving",
            r"\blorem ipsum\b",
            r"\{\{|\}\}|```",
            r"\[[^\[\]\n]{0,60}\b(?:insert|your|placeholder|brand|product|name|company)\b[^\[\]\n]{0,60}\]",
            r"\b(?:ignore|disregard|forget) (?:(?:all|any|the|your) )*(?:previous|prior|above|earlier|instructions)\b",
            r"\bsystem prompt\b",
            r"\bproduct[_ ]facts\b",
            r"\bword count\b",
            r"\b(?:seo title|meta description) ?:",
            r"\b(?-i:TODO|TBD)\b:?",
        )
    ),
    re.IGNORECASE,
)

LEAK_MESSAGE = "“{}” is addressed to the person who ordered the text, not to a shop's customers."
URL_MESSAGE = "“{}” is a link; product texts hold none."
TAG_MESSAGE = "“{}” is code, not text."


def form_complaints(text: str, reading: Reading, brief: Brief, known: Known) -> Iterator[Complaint]:
    for kind, pattern, message in (("leak", LEAK, LEAK_MESSAGE), ("url", URL, URL_MESSAGE), ("html", TAG, TAG_MESSAGE)):
        for match in pattern.finditer(text):
            if kind != "url" or not _is_domain_like_name(match[0], known):
                yield Complaint(kind, *match.span(), match[0], message.format(match[0][:60].strip()))
    yield from _length_complaints(reading, brief)
    if not _is_on_subject(reading, known) and (brief.language == "en" or len(reading.words) < PROSE_WORDS):
        yield Complaint("off_topic", 0, 0, "", "The text does not mention the product.")


def _length_complaints(reading: Reading, brief: Brief) -> Iterator[Complaint]:
    count = len(reading.words)
    most = WORD_BUDGETS[brief.length][1]
    if count > most * LENGTH_TOLERANCE:
        yield Complaint("too_long", 0, 0, "", f"The text has {count} words; at most {most} were asked for.")
    elif count < FEWEST_WORDS:
        yield Complaint("too_short", 0, 0, "", f"The text has only {count} {'word' if count == 1 else 'words'}.")


def _is_domain_like_name(words: str, known: Known) -> bool:
    """A brand such as "Example.com" is a name when the facts hold it and no path follows."""
    return (
        "/" not in words
        and not words.lower().startswith("www.")
        and "".join(re.findall(r"\w+", words.casefold())) in known.codes
    )


def _is_on_subject(reading: Reading, known: Known) -> bool:
    stems = {key[:STEM] for key in known.words if key not in STOP_WORDS}
    return any(word.key[:STEM] in stems for word in reading.words if word.key not in STOP_WORDS)
