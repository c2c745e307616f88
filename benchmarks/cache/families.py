"""A catalogue's variants, asked for one by one: how many of them cost a call, are all texts true, how do they read?

    .venv/bin/python -m benchmarks.cache.families              1,000 variants in 50 families
    .venv/bin/python -m benchmarks.cache.families --others     families that differ in a scent, a motif, a finish …
    .venv/bin/python -m benchmarks.cache.families --offline    the same, written by the offline writer

The 50 differ in colour, size, pack or another quantity. Each text is checked again here, against the facts of its own
variant, by the output check and by the oracle.
"""

from __future__ import annotations

import argparse
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence

from benchmarks.cache.asking import Reply, ask_all, running_product
from benchmarks.cache.catalogue import Variant, load_families
from benchmarks.cache.oracle import find_fault
from benchmarks.cache.stream import SEED, structured
from generation.facts import Brief, check_text, extract_facts

FAMILIES = 50
SHOWN = 10


def is_plain(family: list[Variant]) -> bool:
    """Its variants differ in colour, size or quantities alone."""
    values = {(label, value) for variant in family if not variant.is_changed for label, value in variant.values[-2:]}
    return all(label in ("Colour", "Size") or value[0].isdigit() for label, value in values)


def variants_of(families: list[list[Variant]], chance: random.Random) -> list[Variant]:
    """Shuffled: siblings are not asked for one after another."""
    variants = [variant for family in families for variant in family if not variant.is_changed]
    return chance.sample(variants, len(variants))


def complaints(variant: Variant, text: str) -> list[str]:
    brief = Brief(extract_facts(structured(variant, 0)["product"]))
    found = [f"{each.kind} {each.words!r}" for each in check_text(text, brief)]
    fault = find_fault(text, variant)
    return [*found, fault] if fault else found


def report(variants: Sequence[Variant], replies: Sequence[Reply], calls: int, seconds: float) -> Iterator[str]:
    families = len({variant.family for variant in variants})
    yield f"{len(variants)} variants in {families} families: {calls} upstream calls, {len(variants) / seconds:.0f}/s"
    written = Counter(v.family for v, reply in zip(variants, replies, strict=True) if reply.source == "model")
    dear = ", ".join(f"{family.title} {number}" for family, number in written.most_common() if number > 1)
    yield f"more than one call: {dear or 'none'}"
    yield ", ".join(f"{source} {number}" for source, number in Counter(r.source for r in replies).most_common())
    answered = [(v, reply) for v, reply in zip(variants, replies, strict=True) if not reply.is_error]
    wrong = [(v, reply, found) for v, reply in answered if (found := complaints(v, reply.text))]
    yield f"texts that pass the check and tell their own variant's facts alone: {len(answered) - len(wrong)}"
    for variant, reply, found in wrong[:SHOWN]:
        yield f"WRONG {variant.title} {variant.told_apart_by}, {reply.source}: {'; '.join(found)}\n    {reply.text}"
    yield ""
    filled = [(v, reply) for v, reply in answered if reply.source == "template"] or answered
    for variant, reply in random.Random(SEED).sample(filled, min(SHOWN, len(filled))):
        told = ", ".join(value for _, value in variant.told_apart_by)
        yield f"{variant.title} ({told}), {reply.source}:\n{reply.text}\n"


def main() -> None:
    parser = argparse.ArgumentParser(description="Families of variants, asked for one by one.")
    parser.add_argument("--families", type=int, default=FAMILIES)
    parser.add_argument("--others", action="store_true", help="families that differ in more than quantities and colour")
    parser.add_argument("--offline", action="store_true", help="no provider: the offline writer is the model")
    arguments = parser.parse_args()
    families = [family for family in load_families() if is_plain(family) is not arguments.others]
    variants = variants_of(families[: arguments.families], random.Random(SEED))
    with running_product(**({"ANTHROPIC_API_KEY": ""} if arguments.offline else {})) as (product, provider):
        key = product.create_key("Families")
        begun = time.perf_counter()
        replies = ask_all(product, key, [structured(variant, 0) for variant in variants])
        seconds = time.perf_counter() - begun
        calls = provider.meter()["requests"]
    if arguments.offline:
        calls = sum(reply.source == "model" for reply in replies)
    for line in report(variants, replies, calls, seconds):
        print(line)


if __name__ == "__main__":
    main()
