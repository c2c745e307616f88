"""A peak hour's stream of briefs that are all different, with shared model calls off and on.

    .venv/bin/python -m benchmarks.microbatch [requests a second] [seconds]

Starts the whole product (two web processes, 32 threads each) with a model provider on loopback, once without and once
with micro-batching, and sends a Poisson stream of distinct briefs over the API. Prints upstream calls, latency as the
client sees it, how long texts waited for others to share their call, what the ledger booked and whether that is what
the provider's own meter says. Twice: with a provider that answers after 500 ms whatever is asked, and with one that
takes 4 ms more for each token it writes, 200 a text, as models do.
"""

from __future__ import annotations

import random
import re
import statistics
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from tests.races.bursts import books
from tests.races.product import Product, eventually, run_product
from tests.servers import Provider, run_provider

SEED = 4
MODES = {"off": {"MICRO_BATCH_SECONDS": "0"}, "on": {}}
PROVIDERS: dict[str, dict[str, Any]] = {
    "500 ms": {"delay_ms": 500, "output_tokens": 200},
    "500 ms + 4 ms a token": {"delay_ms": 500, "output_tokens": 200, "token_ms": 4},
}
MATERIALS = ("stoneware", "porcelain", "steel", "oak", "linen")


@dataclass(frozen=True)
class Measured:
    texts: int
    failed: Counter[int]
    calls: int
    seconds: list[float]
    waited_ms: list[int]
    booked: int
    metered: int

    def percentile(self, percent: int) -> float:
        return statistics.quantiles(self.seconds, n=100)[percent - 1]


def brief(number: int) -> dict[str, Any]:
    attributes = {"Material": MATERIALS[number % len(MATERIALS)], "Model": f"KX-{number:05d}"}
    return {"product": {"title": f"Keeper {number:05d}", "attributes": attributes}}


def stream(product: Product, key: str, rate: float, seconds: float) -> list[tuple[int, float]]:
    """(status, seconds) of each reply, from the moment it was due: a client that is late hides nothing."""
    dice = random.Random(SEED)
    began, due, moments = time.monotonic() + 0.5, 0.0, []
    while (due := due + dice.expovariate(rate)) < seconds:
        moments.append(began + due)

    with (
        httpx2.Client(
            base_url=product.url, headers={"Authorization": f"Bearer {key}"}, timeout=60, limits=httpx2.Limits()
        ) as client,
        ThreadPoolExecutor(200) as pool,
    ):

        def ask(number: int) -> tuple[int, float]:
            reply = client.post("/api/v1/descriptions", json=brief(number))
            return reply.status_code, time.monotonic() - moments[number]

        asked = []
        for number, moment in enumerate(moments):
            time.sleep(max(0.0, moment - time.monotonic()))
            asked.append(pool.submit(ask, number))
        return [each.result() for each in asked]


def warm_up(product: Product, key: str) -> None:
    """Both processes have loaded what they need, and their pools are full."""
    with ThreadPoolExecutor(64) as pool:
        list(pool.map(lambda number: product.call(key, "POST", "descriptions", json=brief(90_000 + number)), range(64)))


def measure(product: Product, key: str, behaviour: dict[str, Any], rate: float, seconds: float) -> Measured:
    product.provider.reset()
    product.provider.behave(behaviour)
    replies = stream(product, key, rate, seconds)
    held = "SELECT count(*) FROM accounts_reservation WHERE state IN ('held', 'dispatched')"
    assert eventually(lambda: product.fetch(held) == [(0,)], 20)
    found = books(product)
    return Measured(
        texts=sum(status == 200 for status, _ in replies),
        failed=Counter(status for status, _ in replies if status != 200),
        calls=product.provider.meter()["requests"],
        seconds=[taken for status, taken in replies if status == 200],
        waited_ms=waits(product),
        booked=found["ledger"],
        metered=found["provider"],
    )


def waits(product: Product) -> list[int]:
    """How long each text that shared its call had waited for the others, as its reply explains."""
    reasons = product.fetch(
        "SELECT step->>'reason' FROM generation_text, jsonb_array_elements(explanation) step"
        " WHERE step->>'outcome' = 'shared' AND id IN (SELECT text_id FROM generation_llmcall"
        " WHERE COALESCE(batch_id, id)::text = ANY(%s))",
        product.provider.meter()["call_ids"],
    )
    return sorted(int(found[1]) for (reason,) in reasons if (found := re.search(r"waited (\d+) ms", reason)))


def run_mode(mode: str, name: str, provider: Provider, rate: float, seconds: float) -> Measured:
    # A folder each: this process has connections to the last one's Valkey, at the address that is kept there.
    with tempfile.TemporaryDirectory() as folder, run_product(Path(folder), provider, **MODES[mode]) as product:
        key = product.create_key(f"{name} {mode}")
        provider.behave({"delay_ms": 100})
        warm_up(product, key)
        return measure(product, key, PROVIDERS[name], rate, seconds)


def row(name: str, mode: str, found: Measured) -> str:
    times = " ".join(f"{found.percentile(percent):>5.2f} s" for percent in (50, 95, 99))
    most = len(found.waited_ms) - 1
    waited = "/".join(f"{found.waited_ms[most * share // 100]}" for share in (50, 95, 100)) if most >= 0 else "-"
    money = "equal" if found.booked == found.metered else f"DIFFERENT by {found.booked - found.metered} nano"
    fewer = 100 * (1 - found.calls / found.texts)
    return (
        f"{name:<22} {mode:<7} {found.texts:>5} {found.calls:>5} {fewer:>4.0f} % {times}  {waited}"
        f"  ${found.booked / 1e9:.6f} booked, {money} to the provider's meter"
        + (f"; failed: {dict(found.failed)}" if found.failed else "")
    )


def main() -> None:
    rate, seconds = (float(given) for given in (sys.argv[1:3] if len(sys.argv) > 2 else ("40", "20")))
    print(f"{rate:g} distinct briefs a second for {seconds:g} s")
    print(f"{'provider':<22} {'sharing':<7} texts calls  fewer     p50     p95     p99  waited ms p50/p95/most, money")
    with run_provider() as provider:
        for name in PROVIDERS:
            for mode in MODES:
                print(row(name, mode, run_mode(mode, name, provider, rate, seconds)), flush=True)


if __name__ == "__main__":
    main()
