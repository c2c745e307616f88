"""Families of variants to ask for: our own, or those of a CSV."""

from __future__ import annotations

import csv
import random
import tomllib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

OUR_OWN = Path(__file__).with_name("families.toml")
CHANGED_SHARE = 0.15  # of a family's variants: how many have a fact changed beside their options
TITLE, FAMILY, BRAND = "title", "family", "brand"  # columns of a CSV; all others are attributes

Values = tuple[tuple[str, str], ...]  # (label, value)


@dataclass(frozen=True)
class Family:
    title: str
    brand: str
    values: dict[str, frozenset[str]] = field(hash=False)  # of the labels that tell its variants apart
    prompts: tuple[str, ...] = ()  # in whose words it is asked for, when in free text


@dataclass(frozen=True)
class Variant:
    family: Family = field(hash=False)
    title: str
    values: Values
    is_changed: bool = False  # has a fact otherwise than its family has it, beside its options

    @property
    def told_apart_by(self) -> Values:
        return tuple((label, value) for label, value in self.values if label in self.family.values)


def load_families(path: Path = OUR_OWN) -> list[list[Variant]]:
    """The variants of each family. Raises KeyError when a CSV has no column `title`."""
    return _from_csv(path) if path.suffix == ".csv" else _from_toml(path)


def _from_toml(path: Path) -> list[list[Variant]]:
    return [_combine(row) for row in tomllib.loads(path.read_text())["family"]]


def _combine(row: dict[str, Any]) -> list[Variant]:
    """Every combination of the options: first as the attributes say, then each with each change."""
    options: dict[str, list[str]] = row["options"]
    values = {label: frozenset(each) for label, each in options.items()}
    values |= {label: frozenset([row["attributes"][label], value]) for label, value in row["changes"].items()}
    family = Family(row["title"], row["brand"], values, tuple(row.get("prompts", ())))
    usual: dict[str, str] = row["attributes"]
    return [
        Variant(family, family.title, (*facts.items(), *zip(options, chosen, strict=True)), facts is not usual)
        for facts in [usual, *(usual | {label: value} for label, value in row["changes"].items())]
        for chosen in product(*options.values())
    ]


def _from_csv(path: Path) -> list[list[Variant]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = [{key: value.strip() for key, value in row.items() if value} for row in csv.DictReader(file)]
    groups: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in rows:
        groups[row.get(FAMILY) or row[TITLE]].append(row)
    return [_from_rows(group) for group in groups.values()]


def _from_rows(rows: list[dict[str, str]]) -> list[Variant]:
    labels = dict.fromkeys(label for row in rows for label in row if label not in {TITLE, FAMILY, BRAND})
    told = {label: frozenset(row[label] for row in rows if label in row) for label in labels}
    family = Family(rows[0][TITLE], rows[0].get(BRAND, ""), {key: each for key, each in told.items() if len(each) > 1})
    return [Variant(family, row[TITLE], tuple((label, row[label]) for label in labels if label in row)) for row in rows]


def choose(families: Iterable[list[Variant]], number: int, chance: random.Random) -> list[Variant]:
    """As many variants of each family, most of them with its usual facts; fewer when there are no more."""
    queues = []
    for variants in families:
        usual = [each for each in variants if not each.is_changed]
        changed = [each for each in variants if each.is_changed]
        chance.shuffle(usual)
        chance.shuffle(changed)
        for each in changed[: round(len(usual) * CHANGED_SHARE)]:
            usual.insert(chance.randint(1, len(usual)), each)
        queues.append(usual)
    rounds = max(map(len, queues))
    dealt = [queue[turn] for turn in range(rounds) for queue in queues if turn < len(queue)]
    return dealt[:number]
