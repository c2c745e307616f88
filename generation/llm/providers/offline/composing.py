"""From a brief to a whole reply: which sentences fit the length, and how they stand on the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from generation.facts import WORD_BUDGETS, Brief, Complaint, check_text, facts_hash
from generation.families import facts_without_slots, slot_kinds, without_slots
from generation.llm.providers.offline import english, labelled
from generation.llm.providers.offline.outline import outline_of
from generation.llm.providers.offline.wishes import with_mentions
from generation.llm.providers.offline.wording import Chooser, Line, Rank
from generation.llm.replies import compose_missing, join_reply

# Fewer specifications than this read better as sentences.
FEWEST_BULLETS = 3
# A short text stops well below its limit, so that it is shorter than the medium one of the same facts.
MOST_WORDS = {length: most for length, (_, most) in WORD_BUDGETS.items()} | {"short": 40}
PARAGRAPH_WORDS = 55
FEWEST_PARAGRAPH_WORDS = 12
# What the check says of a text as a whole says nothing about one of its lines.
_ABOUT_WHOLE_TEXTS = ("too_short", "too_long", "off_topic")
_SPECIFICATIONS = (Rank.SIZE, Rank.PRACTICAL, Rank.REST)


def compose_reply(brief: Brief, variation: int = 0, most_words: int | None = None) -> str:
    """The description, and the labelled lines of the further fields that were asked for."""
    description = compose_description(brief, variation, most_words)
    fields = compose_missing({"description": description}, brief.fields, brief.facts)
    return join_reply(fields, brief.fields)


def compose_description(brief: Brief, variation: int = 0, most_words: int | None = None) -> str:
    chooser = Chooser(f"{facts_hash(brief.facts)} {brief.tone} {variation}")
    outline = outline_of(brief)
    if brief.language == "en":
        lines = english.write_lines(outline, brief.tone, chooser)
    else:
        lines = labelled.write_lines(outline, brief.tone, brief.language, chooser)
    budget = MOST_WORDS[brief.length]
    chosen = fit(with_mentions(lines, brief), budget if most_words is None else min(budget, most_words))
    with_bullets = brief.length == "long" and brief.channel != "google"
    text = lay_out(chosen, with_bullets=with_bullets)
    if _complaints(text, brief):
        return lay_out([line for line in chosen if holds(line, brief)], with_bullets=with_bullets)
    return text


def holds(line: Line, brief: Brief) -> bool:
    """What the output check would refuse is left out; a text needs its introduction."""
    if line.rank is Rank.INTRODUCTION:
        return True
    return all(complaint.kind in _ABOUT_WHOLE_TEXTS for complaint in _complaints(line.text, brief))


def _complaints(text: str, brief: Brief) -> list[Complaint]:
    """Of a text with slots, what stands around them is checked."""
    if not slot_kinds(brief.facts):
        return check_text(text, brief)
    return check_text(without_slots(text), replace(brief, facts=facts_without_slots(brief.facts)))


def fit(lines: Sequence[Line], most_words: int) -> list[Line]:
    """The lines that matter most and fit together, in reading order; the introduction always."""
    kept: set[int] = set()
    words = 0
    for index in sorted(range(len(lines)), key=lambda index: lines[index].rank):
        length = _length(lines[index])
        if words + length <= most_words or not kept:
            kept.add(index)
            words += length
    return [line for index, line in enumerate(lines) if index in kept]


def lay_out(lines: Sequence[Line], *, with_bullets: bool) -> str:
    specifications = [line for line in lines if line.bullet and line.rank in _SPECIFICATIONS]
    if not with_bullets or len(specifications) < FEWEST_BULLETS:
        return "\n\n".join(_paragraphs(lines))
    told = [line for line in lines if line not in specifications]
    bullets = [f"- {bullet}" for line in specifications for bullet in line.bullet.splitlines()]
    return "\n\n".join([*_paragraphs(told), "\n".join(bullets)])


def _paragraphs(lines: Sequence[Line]) -> list[str]:
    """What the product is, then what to choose from and how to care for it; one paragraph where that is little."""
    if sum(_words(line.text) for line in lines) <= PARAGRAPH_WORDS:
        return [" ".join(line.text for line in lines)]
    start = next(
        (n for n, line in enumerate(lines) if line.rank in (Rank.CHOICES, Rank.PRACTICAL, Rank.REST)), len(lines)
    )
    if sum(_words(line.text) for line in lines[start:]) < FEWEST_PARAGRAPH_WORDS:
        start = len(lines)
    halves = (lines[:start], lines[start:])
    return [" ".join(line.text for line in half) for half in halves if half]


def _length(line: Line) -> int:
    """Words, in whichever form the line will be shown; a list's dashes count too."""
    return max(_words(line.text), sum(_words(bullet) + 1 for bullet in line.bullet.splitlines()))


def _words(text: str) -> int:
    return len(text.split())
