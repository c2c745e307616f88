"""The pairs of benchmarks/cache/pairs: those written one by one, and those made from products, dealt to two halves.

    .venv/bin/python -m benchmarks.cache.widen

Writes dev.jsonl and held_out.jsonl from written.jsonl and products.toml. Seeded: the same files every time. A product
and all its pairs are in one half only.
"""

from __future__ import annotations

import json
import random
import re
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).with_name("pairs")
SEED = 20261126
REWORDINGS_EACH = 5  # structured ones, of each product
HALVES = ("dev", "held_out")

Row = dict[str, Any]
Facts = list[tuple[str, str]]  # (label, value)

LABELS = {
    "Colour": ["Color", "colour", "Main colour"],
    "Material": ["material", "Made of"],
    "Weight": ["Item weight", "weight"],
    "Volume": ["Capacity", "volume"],
    "Length": ["length", "LENGTH"],
    "Made in": ["Country of origin", "Origin"],
    "Origin": ["origin", "Country of origin"],
    "Brand": ["Manufacturer", "brand"],
    "Flavour": ["Flavor", "flavour"],
    "Scent": ["Fragrance", "scent"],
    "Print": ["Motif", "Pattern"],
    "Pattern": ["Print", "Design"],
    "Pack size": ["Units per pack", "Pack"],
    "Diameter": ["diameter", "DIAMETER"],
    "Model": ["Model number", "model"],
    "Condition": ["State", "condition"],
    "Warranty": ["Guarantee", "warranty"],
    "For": ["Target group", "Suitable for"],
}
# (value, unit) -> the same quantity as another shop spells it.
UNITS = {
    "g": (1000, "kg"),
    "ml": (1000, "l"),
    "cm": (100, "m"),
    "mm": (10, "cm"),
    "W": (1000, "kW"),
    "mAh": (1000, "Ah"),
}
LONG_UNITS = {"h": "hours", "W": "watts", "V": "volts", "kg": "kilograms", "m": "metres", "l": "litres", "L": "litres"}
QUANTITY = re.compile(r"([\d.,]+) ([a-zA-Z]+)")
WITH_UNIT_IN_LABEL = {"Weight", "Length", "Height", "Diameter", "Width", "Net weight"}


def respell_label(facts: Facts, chance: random.Random) -> Facts:
    return [(chance.choice(LABELS.get(label, [label])), value) for label, value in facts]


def respell_units(facts: Facts, chance: random.Random) -> Facts:
    return [(label, _respelt_unit(value, chance)) for label, value in facts]


def _respelt_unit(value: str, chance: random.Random) -> str:
    match = QUANTITY.fullmatch(value)
    if not match:
        return value
    number, unit = float(match[1].replace(",", "")), match[2]
    if unit in UNITS and chance.random() < 0.7:
        divisor, larger = UNITS[unit]
        return f"{number / divisor:.6g} {larger}"
    return f"{match[1]} {LONG_UNITS[unit]}" if unit in LONG_UNITS else value


def respell_numbers(facts: Facts, chance: random.Random) -> Facts:
    """Thousands separators and the space before a unit come and go."""
    return [(label, _respelt_number(value)) for label, value in facts]


def _respelt_number(value: str) -> str:
    match = QUANTITY.fullmatch(value)
    if not match or len(match[2]) > 3:  # 3 pairs, 14 inch: nobody writes these as one word
        return value
    number = match[1].replace(",", "")
    if match[1] == number and number.isdigit() and len(number) > 3:
        number = f"{int(number):,}"
    return f"{number}{match[2]}"


def change_case(facts: Facts, chance: random.Random) -> Facts:
    fold = chance.choice([str.lower, str.upper])
    # Units keep theirs: 16 MB and 16 Mb are not one.
    return [(label, value if any(map(str.isdigit, value)) else fold(value)) for label, value in facts]


def reorder(facts: Facts, chance: random.Random) -> Facts:
    return chance.sample(facts, len(facts))


def move_unit_to_label(facts: Facts, chance: random.Random) -> Facts:
    moved = []
    for label, value in facts:
        match = QUANTITY.fullmatch(value)
        fits = match and label in WITH_UNIT_IN_LABEL
        moved.append((f"{label} ({match[2]})", match[1]) if match and fits else (label, value))
    return moved


CHANGES: dict[str, Callable[[Facts, random.Random], Facts]] = {
    "unit spelling": respell_units,
    "number format": respell_numbers,
    "unit in label": move_unit_to_label,
    "label synonym": respell_label,
    "order": reorder,
    "case": change_case,
}


def respell(facts: Facts, chance: random.Random) -> tuple[Facts, list[str]]:
    """One to three changes that change no fact, and their names."""
    respelt, done = facts, list[str]()
    while not done:
        chosen = chance.sample(list(CHANGES), chance.randint(1, 3))
        for name in CHANGES:
            if name in chosen and (changed := CHANGES[name](respelt, chance)) != respelt:
                respelt = changed
                done.append(name)
    return respelt, done


def as_product(product: Row, facts: Facts) -> Row:
    return {"product": {"title": product["title"], "attributes": dict(facts), "features": product["features"]}}


def as_list(product: Row, facts: Facts) -> Row:
    told = [f"{label.lower()} {value}" for label, value in facts] + [each.lower() for each in product["features"]]
    return {"prompt": f"{product['title']}, " + ", ".join(told)}


def as_lines(product: Row, facts: Facts) -> Row:
    told = [f"{label}: {value}" for label, value in facts] + product["features"]
    return {"prompt": f"Please write a description of this product.\n{product['title']}\n" + "\n".join(told)}


def as_sentences(product: Row, facts: Facts) -> Row:
    told = [f"The {label.lower()} is {value}." for label, value in facts] + [f"{each}." for each in product["features"]]
    return {"prompt": f"Write about our {product['title'].lower()}. " + " ".join(told)}


WORDINGS = (as_list, as_lines, as_sentences)


def negatives(product: Row, chance: random.Random) -> Iterator[Row]:
    """Each fact with each of its other values: as it is, spelt otherwise on top of it, and in free text."""
    facts = [(fact["label"], fact["values"][0]) for fact in product["facts"]]
    for position, fact in enumerate(product["facts"]):
        for value in fact["values"][1:]:
            changed = [*facts[:position], (fact["label"], value), *facts[position + 1 :]]
            row = {"kind": fact["kind"], "expected": "miss", "was": fact["values"][0], "now": value, "made": "widened"}
            yield row | {"first": as_product(product, facts), "second": as_product(product, changed)}
            respelt, done = respell(changed, chance)
            yield row | {"spelt": done, "first": as_product(product, facts), "second": as_product(product, respelt)}
            wording = chance.choice(WORDINGS)
            yield row | {"first": wording(product, facts), "second": wording(product, changed)}


def rewordings(product: Row, chance: random.Random) -> Iterator[Row]:
    facts = [(fact["label"], fact["values"][0]) for fact in product["facts"]]
    row = {"expected": "hit", "made": "widened"}
    seen = [facts]
    while len(seen) <= REWORDINGS_EACH:
        respelt, done = respell(facts, chance)
        if respelt in seen:
            continue
        seen.append(respelt)
        first, second = as_product(product, facts), as_product(product, respelt)
        yield row | {"kind": "structured", "spelt": done, "first": first, "second": second}
    one, other = chance.sample(WORDINGS, 2)
    yield row | {"kind": "free text", "first": one(product, facts), "second": other(product, reorder(facts, chance))}


def deal(rows: list[Row], chance: random.Random) -> tuple[list[Row], list[Row]]:
    """Two halves with as many of each kind."""
    halves: tuple[list[Row], list[Row]] = ([], [])
    kinds: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        kinds[row["kind"]].append(row)
    for group in kinds.values():
        for position, row in enumerate(chance.sample(group, len(group))):
            halves[position % 2].append(row)
    return halves


def make_halves() -> dict[str, str]:
    """The text of each half's file."""
    chance = random.Random(SEED)
    written = [json.loads(line) | {"made": "written"} for line in (FOLDER / "written.jsonl").read_text().splitlines()]
    products = tomllib.loads((FOLDER / "products.toml").read_text())["product"]
    halves = deal(written, chance)
    for position, product in enumerate(chance.sample(products, len(products))):
        halves[position % 2].extend(negatives(product, chance))
        halves[position % 2].extend(rewordings(product, chance))
    return {name: _as_lines(name, rows) for name, rows in zip(HALVES, halves, strict=True)}


def _as_lines(half: str, rows: list[Row]) -> str:
    numbered = [{"id": f"{half}-{number:04d}", **row} for number, row in enumerate(rows, 1)]
    return "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in numbered)


def main() -> None:
    for name, text in make_halves().items():
        (FOLDER / f"{name}.jsonl").write_text(text)


if __name__ == "__main__":
    main()
