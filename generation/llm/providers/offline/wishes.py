"""Wishes of the shop's that a writer without a model can follow: length, tone, and which facts to mention."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from generation.facts import LENGTHS, Brief, find_evidence
from generation.facts.folding import fold
from generation.llm.providers.offline.wording import Line, Rank
from generation.llm.replies import NOT_FOLLOWED, NOT_IN_FACTS

MENTION = re.compile(r"\bmention the ([^.,;!?]{1,60})", re.IGNORECASE)
STEPS = {"shorter": -1, "longer": 1}
TONES = {
    "friendlier": "friendly",
    "warmer": "friendly",
    "less salesy": "neutral",
    "plainer": "neutral",
    "more neutral": "neutral",
    "more technical": "technical",
    "more playful": "playful",
    "more luxurious": "luxurious",
    "more persuasive": "persuasive",
}
ABLE_TO = (
    "Without a model, a text can be made shorter or longer, friendlier, plainer, more technical, more playful or more "
    "luxurious, and “mention the …” brings in a fact. Other wishes need a model."
)


class CannotFollow(Exception):
    """The message is a reply that says why."""


def with_wishes(brief: Brief) -> Brief:
    """The brief as all that was wished in its conversation makes it. Raises CannotFollow about the last wish."""
    for number, turn in enumerate(brief.turns, 1):
        try:
            brief = _with_wish(brief, turn.wish)
        except CannotFollow:
            if number == len(brief.turns):
                raise
    return brief


def _with_wish(brief: Brief, wish: str) -> Brief:
    said = _said(wish)
    if said in STEPS:
        return _longer(brief, STEPS[said])
    if said in TONES:
        return replace(brief, tone=TONES[said])
    if wanted := MENTION.findall(wish):
        if missing := [label for label in wanted if not _labels(brief, [label])]:
            raise CannotFollow(f"{NOT_IN_FACTS} the {missing[0].strip()}.")
        return replace(brief, instructions=f"{brief.instructions} {wish.rstrip('.')}.".strip())
    raise CannotFollow(f"{NOT_FOLLOWED} {ABLE_TO}")


def most_words(brief: Brief) -> int | None:
    """Fewer than the text had of which “shorter” was said; None where it was not, or “longer” since."""
    most = None
    for turn in brief.turns:
        if (step := STEPS.get(_said(turn.wish))) is not None:
            most = len(turn.text.split()) - 1 if step < 0 else None
    return most


def _said(wish: str) -> str:
    return " ".join(wish.casefold().strip(" .!").split()).removeprefix("make it ").removeprefix("please ")


def _longer(brief: Brief, step: int) -> Brief:
    index = LENGTHS.index(brief.length) + step
    if not 0 <= index < len(LENGTHS):
        raise CannotFollow(f"{NOT_FOLLOWED} It is as {'long' if step > 0 else 'short'} as a text can be asked for.")
    return replace(brief, length=LENGTHS[index])


def with_mentions(lines: Sequence[Line], brief: Brief) -> list[Line]:
    """The sentences about those facts come before others when words are few; an introduction stays what it is."""
    labels = _labels(brief, MENTION.findall(brief.instructions))
    return [
        replace(line, rank=Rank.SUBSTANCE) if line.rank > Rank.SUBSTANCE and _stands_on(line, labels, brief) else line
        for line in lines
    ]


def _labels(brief: Brief, wanted: Sequence[str]) -> set[str]:
    folded = {fold(label) for label in wanted}
    return {fact.label for fact in brief.facts.facts if {fold(fact.display_label), fact.label} & folded}


def _stands_on(line: Line, labels: set[str], brief: Brief) -> bool:
    if not labels:
        return False
    return any(labels & set(sentence.labels) for sentence in find_evidence(line.text, brief.facts))
