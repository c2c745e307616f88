"""The pairs, asked of the running product one half after the other: what is served for the second body?

    .venv/bin/python -m benchmarks.cache.pairs                     the development half
    .venv/bin/python -m benchmarks.cache.pairs --half held_out     the other one, which nobody tunes with
    .venv/bin/python -m benchmarks.cache.pairs --half extra        later ones, of other products
    .venv/bin/python -m benchmarks.cache.pairs --half later        and later still
    .venv/bin/python -m benchmarks.cache.pairs --half fresh        and the latest, with fresh_2 to fresh_5
    .venv/bin/python -m benchmarks.cache.pairs --served            what negatives were served and rewordings missed, too

All first bodies are asked before any second one, negatives and rewordings in a workspace each. A negative that a cache
serves is wrong when its text is the one written for the first body, lacks the fact as it is now or states it as it was.
Bounds are 95 %, one-sided: the largest rate of wrong ones, the smallest rate of hits.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.cache.asking import Reply, ask_all, running_product
from benchmarks.cache.oracle import find_changed_fact, upper_bound, words_in
from benchmarks.cache.widen import FOLDER, HALVES
from tests.races.product import Product

# In no half: free text alone, written later and by whoever tuned.
LATER = ("extra", "later", "fresh", "fresh_2", "fresh_3", "fresh_4", "fresh_5")
SMALL = 8  # every how many of them `--small` asks


@dataclass(frozen=True)
class Answered:
    pair: dict[str, Any]
    first: Reply
    second: Reply

    @property
    def fault(self) -> str:
        """What is wrong with the text that a cache served for the second body; empty when nothing is."""
        if not self.second.is_cached:
            return ""
        if self.second.text == self.first.text:
            return "the first one's text"
        return find_fault_of_pair(self.second.text, self.pair)


def find_fault_of_pair(text: str, pair: dict[str, Any]) -> str:
    first, second = words_of(pair["first"]), words_of(pair["second"])
    was, now = pair["was"], pair["now"]
    # Where nothing is spelt otherwise, all the words that differ tell more than a bare number: 500 ml, 500 cl.
    if "spelt" not in pair and sorted(words_in(first)) != sorted(words_in(second)):
        was, now = first, second
    return find_changed_fact(text, was=was, now=now, asked=second)


def words_of(body: dict[str, Any]) -> str:
    if "prompt" in body:
        return str(body["prompt"])
    product = body["product"]
    facts = [f"{label}: {value}." for label, value in product["attributes"].items()]
    return " ".join([f"{product['title']}.", *facts, *product.get("features", [])])


def load_pairs(half: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (FOLDER / f"{half}.jsonl").read_text(encoding="utf-8").splitlines()]


def ask(product: Product, pairs: Sequence[dict[str, Any]], workspace: str) -> list[Answered]:
    key = product.create_key(workspace)
    first = ask_all(product, key, [pair["first"] for pair in pairs])
    second = ask_all(product, key, [pair["second"] for pair in pairs])
    return [Answered(*each) for each in zip(pairs, first, second, strict=True)]


def by_kind(answered: Sequence[Answered]) -> Iterator[tuple[str, list[Answered]]]:
    kinds: dict[str, list[Answered]] = defaultdict(list)
    for each in answered:
        kinds[each.pair["kind"]].append(each)
    yield from sorted(kinds.items())
    for made in ("written", "widened"):
        yield f"all {made}", [each for each in answered if each.pair["made"] == made]
    yield "all", list(answered)


def negatives_table(answered: Sequence[Answered]) -> Iterator[str]:
    yield f"{'one fact changed':<28}{'pairs':>7}{'served':>8}{'wrong':>7}{'at most':>9}{'errors':>8}"
    for kind, group in by_kind(answered):
        served = sum(each.second.is_cached for each in group)
        wrong = sum(bool(each.fault) for each in group)
        errors = sum(each.second.is_error for each in group)
        yield f"{kind:<28}{len(group):>7}{served:>8}{wrong:>7}{upper_bound(wrong, len(group)):>9.2%}{errors:>8}"


def rewordings_table(answered: Sequence[Answered]) -> Iterator[str]:
    yield f"{'honest rewordings':<28}{'pairs':>7}{'hits':>8}{'':>7}{'at least':>9}{'errors':>8}  layers"
    for kind, group in by_kind(answered):
        hits = [each.second.source for each in group if each.second.is_cached]
        least = 1 - upper_bound(len(group) - len(hits), len(group))
        errors = sum(each.second.is_error for each in group)
        layers = ", ".join(f"{source} {number}" for source, number in Counter(hits).most_common())
        yield (
            f"{kind:<28}{len(group):>7}{len(hits):>8}{len(hits) / len(group):>7.0%}{least:>9.1%}{errors:>8}  {layers}"
        )


def listing(negatives: Sequence[Answered], rewordings: Sequence[Answered], *, every: bool) -> Iterator[str]:
    for each in negatives:
        if each.fault or (every and each.second.is_cached):
            verdict = f"WRONG ({each.fault})" if each.fault else "true"
            yield f"{each.pair['id']} {each.pair['kind']}: {each.second.source}, {verdict}"
            yield f"    asked  {json.dumps(each.pair['second'], ensure_ascii=False)}"
            yield f"    served {each.second.text}"
    for each in rewordings:
        if every and not each.second.is_cached:
            yield f"{each.pair['id']} {each.pair['kind']}, not known: {each.second.source}"
            yield f"    first  {json.dumps(each.pair['first'], ensure_ascii=False)}"
            yield f"    second {json.dumps(each.pair['second'], ensure_ascii=False)}"


def errors(answered: Sequence[Answered]) -> Iterator[str]:
    found = Counter(reply.source for each in answered for reply in (each.first, each.second) if reply.is_error)
    yield from (f"{number:>6} {source}" for source, number in found.most_common())


def main() -> None:
    parser = argparse.ArgumentParser(description="Pairs with one fact changed, and honest rewordings.")
    parser.add_argument("--half", choices=(*HALVES, *LATER), default=HALVES[0])
    parser.add_argument("--served", action="store_true", help="list served negatives and missed rewordings")
    parser.add_argument("--small", action="store_true", help=f"every {SMALL}th pair")
    arguments = parser.parse_args()
    pairs = load_pairs(arguments.half)[:: SMALL if arguments.small else 1]
    with running_product() as (product, _):
        negatives = ask(product, [pair for pair in pairs if pair["expected"] == "miss"], "Negatives")
        rewordings = ask(product, [pair for pair in pairs if pair["expected"] == "hit"], "Rewordings")
    for line in (
        *negatives_table(negatives),
        "",
        *rewordings_table(rewordings),
        "",
        *errors([*negatives, *rewordings]),
        *listing(negatives, rewordings, every=arguments.served),
    ):
        print(line)


if __name__ == "__main__":
    main()
