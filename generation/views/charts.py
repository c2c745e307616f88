"""Where the bars of the usage page's drawings stand. Drawn by the templates, in a frame of 300 by 100."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from generation.services.usage import Figures, Group

WIDTH, HEIGHT = 300, 98
Parts = Callable[[Figures], tuple[int, int]]

# What was paid for, and what came from earlier work.
MEASURES: dict[str, Parts] = {
    "texts": lambda figures: (figures.answers - figures.free, figures.free),
    "money": lambda figures: (figures.cost_nanos, figures.saved_nanos),
}


@dataclass(frozen=True, slots=True)
class Column:
    """One day. Lengths as strings, so that no locale gets at their decimal point."""

    group: Group
    x: str
    width: str
    paid: str
    free: str


def columns(days: list[Group], measure: str) -> list[Column]:
    parts = [tuple(max(part, 0) for part in MEASURES[measure](day.figures)) for day in days]
    highest = max((sum(pair) for pair in parts), default=0) or 1
    step = WIDTH / max(len(days), 1)
    return [
        Column(day, _place(n * step), _place(step * 0.8), *(_place(HEIGHT * part / highest) for part in pair))
        for n, (day, pair) in enumerate(zip(days, parts, strict=True))
    ]


@dataclass(frozen=True, slots=True)
class Part:
    """One layer's piece of the whole, left to right."""

    group: Group
    x: str
    width: str


def parts(lengths: list[int], of: list[Any]) -> list[tuple[Any, str, str]]:
    """(what, x, width) of each, left to right, filling the whole."""
    return [(what, *place) for what, place in zip(of, filled(lengths, sum(lengths)), strict=True)]


def stacked(groups: list[Group]) -> list[Part]:
    whole = sum(group.figures.answers for group in groups) or 1
    parts, x = [], 0.0
    for group in groups:
        width = WIDTH * group.figures.answers / whole
        parts.append(Part(group, _place(x), _place(width)))
        x += width
    return parts


def shares(groups: list[Group], measure: str) -> list[tuple[Group, str]]:
    """How long each group's bar is, the longest being whole."""
    lengths = [max(sum(MEASURES[measure](group.figures)), 0) for group in groups]
    longest = max(lengths, default=0) or 1
    return [(group, _place(WIDTH * length / longest)) for group, length in zip(groups, lengths, strict=True)]


def filled(amounts: list[int], whole: int | None) -> list[tuple[str, str]]:
    """Where each amount begins and how long it is, one after the other, in a bar that the whole fills."""
    parts, x = [], 0.0
    for amount in amounts:
        width = min(WIDTH * amount / (whole or 1), WIDTH - x) if whole else (WIDTH - x if amount else 0)
        parts.append((_place(x), _place(width)))
        x += width
    return parts


def _place(length: float) -> str:
    return f"{length:.2f}"
