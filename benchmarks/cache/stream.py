"""A seeded stream of requests over a catalogue: popular variants and rare ones, asked for in several wordings.

    .venv/bin/python -m benchmarks.cache.stream --requests 10

Each request knows its variant. Popularity follows Zipf's law. A variant has six wordings, one as frequent as another:
structured ones differ in order, case, units, number format and label synonyms, those in free text in their words.
Siblings differ in one fact or two.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.cache.catalogue import OUR_OWN, Variant, choose, load_families
from benchmarks.cache.widen import respell

WORDINGS = 6
ZIPF_EXPONENT = 1.0
REQUESTS, VARIANTS, SEED = 4_000, 800, 10


@dataclass(frozen=True)
class Request:
    variant: Variant
    body: dict[str, Any]

    @property
    def words(self) -> str:
        """What a cache that knows nothing of facts is asked with."""
        if "prompt" in self.body:
            return str(self.body["prompt"])
        told = self.body["product"]
        facts = [("Brand", told["brand"])] if told.get("brand") else []
        facts += told["attributes"].items()
        return " ".join([f"{told['title']}.", *(f"{label}: {value}." for label, value in facts)])


def structured(variant: Variant, wording: int) -> dict[str, Any]:
    facts = list(variant.values)
    if wording:
        facts, _ = respell(facts, random.Random(f"{variant.title} {variant.values} {wording}"))
    body: dict[str, Any] = {"title": variant.title, "attributes": dict(facts)}
    return {"product": body | ({"brand": variant.family.brand} if variant.family.brand else {})}


def worded(variant: Variant, wording: int) -> dict[str, Any]:
    if variant.family.prompts:
        return {"prompt": variant.family.prompts[wording].format(**dict(variant.values))}
    return structured(variant, wording)


def make_stream(variants: Sequence[Variant], requests: int, seed: int = SEED) -> list[Request]:
    chance = random.Random(seed)
    ranked = chance.sample(variants, len(variants))
    popularity = [1 / rank**ZIPF_EXPONENT for rank in range(1, len(ranked) + 1)]
    asked = chance.choices(ranked, popularity, k=requests)
    wordings = chance.choices(range(WORDINGS), k=requests)
    return [Request(variant, worded(variant, wording)) for variant, wording in zip(asked, wordings, strict=True)]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--requests", type=int, default=REQUESTS)
    parser.add_argument("--variants", type=int, default=VARIANTS)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--catalogue", type=Path, default=OUR_OWN, help="a CSV: title, family, brand, attributes")


def stream_from(arguments: argparse.Namespace) -> list[Request]:
    variants = choose(load_families(arguments.catalogue), arguments.variants, random.Random(arguments.seed))
    return make_stream(variants, arguments.requests, arguments.seed)


def main() -> None:
    parser = argparse.ArgumentParser(description="Print a stream of requests, one a line.")
    add_arguments(parser)
    for request in stream_from(parser.parse_args()):
        print(json.dumps(request.body, ensure_ascii=False))


if __name__ == "__main__":
    main()
