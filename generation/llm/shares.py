"""One call's tokens and cost shared out among the texts it was made for. Integers that add up to the whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from generation.llm.prices import cost_nanos
from generation.llm.types import Price, Usage

WRITTEN = ("output", "reasoning")
COUNTS = ("input_uncached", "input_cached", "cache_write_short", "cache_write_long", *WRITTEN)


@dataclass(frozen=True, slots=True)
class Share:
    usage: Usage
    cost_nanos: int


def whole(usage: Usage, price: Price) -> Share:
    return Share(usage, cost_nanos(usage, price))


def share_out(
    usage: Usage, price: Price, *, prompts: Sequence[int], replies: Sequence[int], ceilings: Sequence[int]
) -> list[Share]:
    """A share for each part: of the input by the bytes of its prompt, of the output by the bytes of its reply.

    No part's cost exceeds its ceiling (nano-dollars) while the whole cost is within the sum of them.
    """
    columns = [divide(getattr(usage, name), replies if name in WRITTEN else prompts) for name in COUNTS]
    usages = [replace(usage, **dict(zip(COUNTS, counts, strict=True))) for counts in zip(*columns, strict=True)]
    costs = divide(cost_nanos(usage, price), [cost_nanos(each, price) for each in usages], ceilings)
    return [Share(*pair) for pair in zip(usages, costs, strict=True)]


def divide(total: int, weights: Sequence[int], bounds: Sequence[int] | None = None) -> list[int]:
    """`total` in proportion to the weights, by largest remainder. What is above a part's bound goes where there is
    room; a total above all bounds together is divided as if there were none.
    """
    parts = _apportion(total, weights)
    if bounds is None or total > sum(bounds):
        return parts
    within = [min(pair) for pair in zip(parts, bounds, strict=True)]
    room = [bound - part for bound, part in zip(bounds, within, strict=True)]
    return [sum(pair) for pair in zip(within, _apportion(total - sum(within), room), strict=True)]


def _apportion(total: int, weights: Sequence[int]) -> list[int]:
    if not any(weights):
        weights = [1] * len(weights)
    whole_weight = sum(weights)
    parts = [total * weight // whole_weight for weight in weights]
    by_remainder = sorted(range(len(parts)), key=lambda number: -(total * weights[number] % whole_weight))
    for number in by_remainder[: total - sum(parts)]:
        parts[number] += 1
    return parts
