"""How many false claims check_text catches, and how many honest texts it wrongly refuses, on a set of its own.

    .venv/bin/python -m benchmarks.check             tables by kind and by language
    .venv/bin/python -m benchmarks.check --misses    the false claims that pass, too

A false claim counts as caught when a complaint touches it. Bounds are 95 % Wilson intervals.
"""

from __future__ import annotations

import statistics
import sys
import time
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from generation.facts import Brief, Complaint, Facts, check_text, extract_facts

SETS = ("check_set.toml", "check_set_2.toml")  # the second was written when the check had been repaired with the first
Z_95 = 1.959964
REPEATS = 5


@dataclass(frozen=True, slots=True)
class Honest:
    text: str
    brief: Brief


@dataclass(frozen=True, slots=True)
class Trap:
    kind: str
    text: str
    start: int  # of the false words
    end: int
    brief: Brief

    @property
    def is_caught(self) -> bool:
        complaints = check_text(self.text, self.brief)
        return any(complaint.start < self.end and complaint.end > self.start for complaint in complaints)


def load(name: str) -> tuple[list[Honest], list[Trap]]:
    products = tomllib.loads(Path(__file__).with_name(name).read_text(encoding="utf-8"))["product"]
    honest = [Honest(text, brief) for product in products for brief in [_brief(product)] for text in product["honest"]]
    return honest, [trap for product in products for trap in _traps(product, _brief(product))]


def _brief(product: dict[str, Any]) -> Brief:
    facts: Facts = extract_facts(product["input"])
    return Brief(facts, language=product["language"])


def _traps(product: dict[str, Any], brief: Brief) -> Iterator[Trap]:
    texts: list[str] = product["honest"]
    claims = [(kind, claim) for kind, claims in product["false"].items() for claim in claims]
    for position, (kind, claim) in enumerate(claims):
        before, arrow, after = claim.partition(" => ")
        if arrow:
            text = next(text for text in texts if before in text)
            start, false = text.index(before), after
            text = text.replace(before, after, 1)
        else:
            honest = texts[position % len(texts)]
            start, false = len(honest) + 1, claim
            text = f"{honest} {claim}"
        yield Trap(kind, text, start, start + len(false), brief)


def wilson(hits: int, total: int) -> tuple[float, float]:
    """95 % interval of a proportion."""
    share, spread = hits / total, Z_95 * Z_95 / total
    middle = share + spread / 2
    half = Z_95 * (share * (1 - share) / total + spread / (4 * total)) ** 0.5
    return max(0.0, (middle - half) / (1 + spread)), min(1.0, (middle + half) / (1 + spread))


def row(name: str, hits: int, total: int) -> str:
    low, high = wilson(hits, total)
    return f"{name:<16}{hits:>5} /{total:>4}{hits / total:>8.1%}   {low:.1%} to {high:.1%}"


def table(title: str, traps: list[Trap], name_of: Callable[[Trap], str]) -> Iterator[str]:
    groups: dict[str, list[bool]] = defaultdict(list)
    for trap in traps:
        groups[name_of(trap)].append(trap.is_caught)
    yield f"\n{title:<16}{'caught':>11}"
    for name, caught in sorted(groups.items()):
        yield row(name, sum(caught), len(caught))


def false_alarms(honest: list[Honest]) -> Iterator[str]:
    alarms: list[tuple[Honest, list[Complaint]]] = [
        (each, complaints) for each in honest if (complaints := check_text(each.text, each.brief))
    ]
    yield "\n" + row("false alarms", len(alarms), len(honest))
    for each, complaints in alarms:
        yield f"  {each.brief.facts.title}: " + "; ".join(f"{found.kind} {found.words!r}" for found in complaints)


def microseconds(honest: list[Honest]) -> str:
    """Over all honest texts, each checked before: facts are indexed once, texts are checked again and again."""
    taken = [min(_seconds(each.text, each.brief) for _ in range(REPEATS)) for each in honest]
    per_hundred = sum(taken) / sum(len(each.text.split()) for each in honest) * 100
    return (
        f"\nmicroseconds per check: median {statistics.median(taken) * 1e6:.0f}, largest {max(taken) * 1e6:.0f}, "
        f"per 100 words {per_hundred * 1e6:.0f}"
    )


def _seconds(text: str, brief: Brief) -> float:
    begun = time.perf_counter()
    check_text(text, brief)
    return time.perf_counter() - begun


def report(name: str, *, with_misses: bool) -> Iterator[str]:
    honest, traps = load(name)
    yield f"{name}: {len(honest)} honest texts, {len(traps)} false claims"
    yield from table("kind", traps, lambda trap: trap.kind)
    yield from table("language", traps, lambda trap: trap.brief.language)
    yield from table("", traps, lambda _: "all")
    yield from false_alarms(honest)
    yield microseconds(honest)
    if with_misses:
        missed = [trap for trap in traps if not trap.is_caught]
        yield from (f"missed {trap.kind:<14} {trap.text[trap.start : trap.end]}" for trap in missed)
    yield ""


def main(*, with_misses: bool) -> None:
    for name in SETS:
        for line in report(name, with_misses=with_misses):
            sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    main(with_misses="--misses" in sys.argv[1:])
