"""Where sentences begin and end."""

from __future__ import annotations

import re

ENDINGS = re.compile(r"[.!?…]+[\"'”’»)\]]*(?=\s|$)|\n+")
ABBREVIATIONS = frozenset(
    [
        "approx",
        "ca",
        "inkl",
        "incl",
        "max",
        "min",
        "e.g",
        "i.e",
        "z.b",
        "bzw",
        "u.a",
        "d.h",
        "no",
        "nr",
        "vs",
        "st",
        "dr",
        "mr",
        "mrs",
        "ms",
        "etc",
        "dia",
        "diam",
        "env",
        "p.ex",
        "aprox",
        "ej",
        "es",
        "ecc",
        "bijv",
        "evt",
    ]
)
LAST_WORD = re.compile(r"([\w.]+)$")
# Skipped when looking back for what ends before a word.
OPENERS = " \t\"'“”„‘’«»()[]*_#>–—-•·✓✔"
STARTERS = ".!?:;…|\n"


def split_sentences(text: str) -> list[tuple[int, int]]:
    """Offsets of each sentence without the space around it."""
    spans: list[tuple[int, int]] = []
    start = 0
    for match in ENDINGS.finditer(text):
        if match[0] == "." and _is_abbreviation(text, start, match.start()):
            continue
        spans.append((start, match.end()))
        start = match.end()
    spans.append((start, len(text)))
    return [trimmed for span in spans if (trimmed := _trim(text, *span))]


def starts_sentence(text: str, position: int) -> bool:
    """Whether a capital letter there says nothing, as in "Note: This" or after a bullet."""
    while position and text[position - 1] in OPENERS:
        position -= 1
    return position == 0 or text[position - 1] in STARTERS


def _is_abbreviation(text: str, start: int, end: int) -> bool:
    match = LAST_WORD.search(text, max(start, end - 12), end)
    return bool(match) and match[1].casefold() in ABBREVIATIONS if match else False


def _trim(text: str, start: int, end: int) -> tuple[int, int] | None:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return (start, end) if any(char.isalnum() for char in text[start:end]) else None
