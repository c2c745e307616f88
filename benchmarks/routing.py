"""A mixed stream of briefs, routed by the rules and the cascade, by premium alone, and by the length of the text.

    .venv/bin/python -m benchmarks.routing [requests] [error rate of economy]

Starts the whole product with a model provider on loopback, and asks for the same seeded stream over the API, for each
router in a workspace of its own: easy and hard briefs, of 2 to 40 facts, in six languages and three lengths, with and
without a voice and instructions. The provider's models err at known rates that grow with the difficulty
(tests/erring.py), dearer ones less; of one category economy models fail mostly. What the output check says of their
texts is real, and so are prices, ledger and everything between.

The naive design sends long texts to premium models and all others to economy ones, and knows no second tier: calls
that our cascade added under its rule are left out of its books, and what only they brought counts as failed.
Shared model calls and prompt caching are as they are by default, but for micro-batching, which is off: with it a call
would be of several texts.
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from generation.llm.prices import PRICES, cost_nanos
from generation.llm.types import Usage
from tests.races.product import Product, eventually, run_product
from tests.servers import Provider, run_provider

SEED = 5
AT_ONCE = 4
HARD = "Supplements"
# Of the hardest requests: one text in so many is wrong.
RATES = {"claude-haiku-5-5": 0.5, "claude-sonnet-5-5": 0.15, "claude-opus-5-5": 0.05}
CATEGORIES = ("Mugs", "Aprons", "Lamps", "Boards", "Blankets", "Bowls", "Trays", HARD)
SHARES = (16, 15, 15, 14, 12, 12, 11, 5)
LANGUAGES, LANGUAGE_SHARES = ("en", "de", "fr", "es", "it", "nl"), (60, 14, 9, 7, 5, 5)
LENGTHS, LENGTH_SHARES = ("short", "medium", "long"), (30, 45, 25)
MATERIALS = ("linen", "cotton", "oak", "stoneware", "porcelain", "steel", "wool")
COLORS = ("blue", "red", "green", "black", "white", "grey")
PARTS = ("Handle", "Lid", "Base", "Rim", "Cord", "Frame", "Lining", "Pocket", "Strap", "Foot")
MEASURES = ("height", "width", "depth", "diameter")

NOTHING_LEARNED = "UPDATE generation_learning SET is_on = false"
NO_RULES = "UPDATE generation_routingrule SET is_enabled = false"
ADD_RULE = """
INSERT INTO generation_routingrule (position, name, is_enabled, tasks, languages, lengths, tier)
VALUES (0, %s, true, '{{}}', '{{}}', '{lengths}', 'premium')
"""
ROUTERS: dict[str, list[tuple[str, tuple[str, ...]]]] = {
    "rules and cascade": [],
    "premium only": [(NOTHING_LEARNED, ()), (NO_RULES, ()), (ADD_RULE.format(lengths="{}"), ("Premium",))],
    "length rule": [(NOTHING_LEARNED, ()), (NO_RULES, ()), (ADD_RULE.format(lengths="{long}"), ("Long",))],
}


def stream(count: int) -> list[dict[str, Any]]:
    dice = random.Random(SEED)
    return [brief(dice, number) for number in range(count)]


def brief(dice: random.Random, number: int) -> dict[str, Any]:
    category = dice.choices(CATEGORIES, SHARES)[0]
    # Most products have few facts, some have very many.
    fact_count = min(2 + int(dice.expovariate(1 / 9)), 40)
    body: dict[str, Any] = {
        "product": {
            "title": f"{category.removesuffix('s')} KX-{number:05d}",
            "category": f"Home > {category}",
            "attributes": attributes(dice, fact_count),
        },
        "language": dice.choices(LANGUAGES, LANGUAGE_SHARES)[0],
        "length": dice.choices(LENGTHS, LENGTH_SHARES)[0],
    }
    if dice.random() < 0.25:
        body["voice"] = "Plain and warm, as if told over the counter."
    if dice.random() < 0.15:
        body["instructions"] = "Begin with what it is made of."
    return body


def attributes(dice: random.Random, count: int) -> dict[str, str]:
    found = {"Material": dice.choice(MATERIALS), "Color": dice.choice(COLORS)}
    names = [f"{part} {measure}" for part in PARTS for measure in MEASURES]
    for name in dice.sample(names, count - len(found)):
        found[name] = f"{dice.randint(2, 60)} cm"
    return found


@dataclass
class Tally:
    """What came of one router's texts. Calls by tier; nano-dollars."""

    texts: int = 0
    passed: int = 0
    calls: Counter[str] = field(default_factory=Counter)
    cost_nanos: int = 0

    @property
    def economy_share(self) -> float:
        return self.calls["economy"] / max(self.calls.total(), 1)


def tally(calls: Sequence[tuple[Any, str, str, int]], texts: int, *, is_naive: bool) -> Tally:
    """Of (text, tier, outcome, cost) rows, oldest first. The naive design has no calls above the tier it began at."""
    found, first = Tally(texts), dict[Any, str]()
    accepted = set()
    for text, tier, outcome, cost in calls:
        if is_naive and first.setdefault(text, tier) != tier:
            continue
        found.calls[tier] += 1
        found.cost_nanos += cost
        if outcome == "accepted":
            accepted.add(text)
    found.passed = len(accepted)
    return found


def ask_all(product: Product, key: str, bodies: list[dict[str, Any]]) -> Counter[int]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        replies = pool.map(lambda body: product.call(key, "POST", "descriptions", json=body).status_code, bodies)
        return Counter(replies)


CALLS = """
SELECT text_id, tier, outcome, cost_nanos FROM generation_llmcall
 WHERE workspace_id = (SELECT id FROM accounts_workspace WHERE name = %s) ORDER BY created_at
"""
LEARNED = "SELECT category, language, passed, failed FROM generation_economyoutcome WHERE category = %s ORDER BY failed"


def measure(product: Product, router: str, bodies: list[dict[str, Any]]) -> Tally:
    """In a workspace of its own, which shares no text with another."""
    for statement, values in ROUTERS[router]:
        product.execute(statement, *values)
    key = product.create_key(router)
    product.provider.reset()
    product.provider.behave({"error_rates": RATES, "hard_category": HARD})
    statuses = ask_all(product, key, bodies)
    assert set(statuses) <= {200, 422}, statuses
    held = "SELECT count(*) FROM accounts_reservation WHERE state IN ('held', 'dispatched')"
    assert eventually(lambda: product.fetch(held) == [(0,)], 20)
    calls: Any = product.fetch(CALLS, router)
    assert sum(cost for *_, cost in calls) == metered(product.provider)
    return tally(calls, len(bodies), is_naive=router == "length rule")


def metered(provider: Provider) -> int:
    prices = {spec.model_id: spec.price for spec in PRICES}
    counts = ("input_uncached", "input_cached", "cache_write_short", "cache_write_long", "output")
    served = provider.meter()["served"]
    return sum(cost_nanos(Usage(**{name: one[name] for name in counts}), prices[one["model"]]) for one in served)


def print_learned(rows: list[Any]) -> None:
    for category, language, passed, failed in rows:
        if passed + failed >= 10:
            print(f"  learned of {category}, {language}: economy passed with {passed} of {passed + failed}")


def row(router: str, found: Tally, premium: Tally) -> str:
    calls = " ".join(f"{found.calls[tier]:>8}" for tier in ("economy", "standard", "premium"))
    return (
        f"{router:<18} {found.passed / found.texts:>7.1%} {calls} {found.economy_share:>9.1%} "
        f"${found.cost_nanos / 1e9:>8.4f} {found.cost_nanos / premium.cost_nanos:>8.1%} "
        f"${found.cost_nanos / 1e6 / max(found.passed, 1):>7.3f}"
    )


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_500
    if len(sys.argv) > 2:
        RATES["claude-haiku-5-5"] = float(sys.argv[2])
    bodies = stream(count)
    lengths = Counter(body["length"] for body in bodies)
    print(f"{count} briefs, {dict(lengths)}; of the hardest, so many texts are wrong: {RATES}")
    found: dict[str, Tally] = {}
    with (
        tempfile.TemporaryDirectory() as folder,
        run_provider() as provider,
        run_product(Path(folder), provider, MICRO_BATCH_SECONDS="0") as product,
    ):
        for router in ROUTERS:
            found[router] = measure(product, router, bodies)
            if not ROUTERS[router]:
                print_learned(product.fetch(LEARNED, HARD.lower()))
    print(
        f"{'router':<18}  passed  economy standard  premium   economy      cost   of premium  a thousand passed\n"
        f"{'':<18}  check    calls    calls    calls  of calls                 only"
    )
    for router, result in found.items():
        print(row(router, result, found["premium only"]))


if __name__ == "__main__":
    main()
