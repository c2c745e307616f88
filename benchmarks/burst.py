"""A hundred requests at once, a $0.02 cap, the cheap model dead and one of twenty times its price behind it.

    .venv/bin/python -m benchmarks.burst

The shape that overspends other gateways' "hard" budgets: a fallback that was held at the cheap price. Starts the whole
product (two web processes) with a model provider on loopback, sends 100 different products over the API at once, and
prints how many were answered, what was spent by the ledger and by the provider's own meter, and how much of what fits
was used. What fits is counted from the holds: a call fits while its ceiling does.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.races.product import Product, run_product
from tests.servers import run_provider

AT_ONCE = 100
CAP_NANOS = 20_000_000
# Nano-dollars a token of gpt-6.1-sol, in and out.
INPUT_RATE, OUTPUT_RATE = 2_000, 10_000
DEAD = "http://127.0.0.1:9"


def set_up(product: Product) -> str:
    key = product.create_key("Burst")
    product.execute("UPDATE accounts_workspace SET spend_cap_nanos = %s WHERE slug = 'burst'", CAP_NANOS)
    product.execute("UPDATE generation_llmmodel SET is_default = false WHERE model_id = 'gpt-6-luna'")
    product.execute("UPDATE generation_llmmodel SET is_default = true, tier = 'economy' WHERE model_id = 'gpt-6.1-sol'")
    return key


def burst(product: Product, key: str) -> Counter[str]:
    def ask(number: int) -> str:
        body = {"product": {"title": f"Mug {number:05d}", "attributes": {"Material": "stoneware", "Color": "blue"}}}
        reply = product.call(key, "POST", "descriptions", json=body)
        return f"{reply.status_code}" + ("" if reply.is_success else f" {reply.json()['error']['code']}")

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return Counter(pool.map(ask, range(AT_ONCE)))


def calls_that_fit(costs: list[int], ceiling: int) -> int:
    """How many calls of these costs can be made one after the other, each holding its ceiling first."""
    spent = 0
    for made, cost in enumerate(costs):
        if spent + ceiling > CAP_NANOS:
            return made
        spent += cost
    mean = sum(costs) // len(costs)
    return len(costs) + max(0, (CAP_NANOS - ceiling - spent) // mean + 1)


def main() -> None:
    with run_provider() as provider, tempfile.TemporaryDirectory() as folder:
        openai = {"OPENAI_API_KEY": "test-key", "OPENAI_BASE_URL": provider.openai.base_url}
        with run_product(Path(folder), provider, ANTHROPIC_BASE_URL=DEAD, **openai) as product:
            key = set_up(product)
            outcomes = burst(product, key)
            spent, reserved = product.fetch(
                "SELECT spent_nanos, reserved_nanos FROM accounts_budget b JOIN accounts_workspace w"
                " ON w.id = b.workspace_id WHERE w.slug = 'burst' AND scope = 'workspace'"
            )[0]
            holds = product.fetch(
                "SELECT amount_nanos, cost_nanos FROM accounts_reservation WHERE entry->>'model_id' = 'gpt-6.1-sol'"
                " AND state = 'settled' ORDER BY closed_at"
            )
        served = provider.meter()["served"]
    metered = sum(INPUT_RATE * call["input_uncached"] + OUTPUT_RATE * call["output"] for call in served)
    fit = calls_that_fit([cost for _, cost in holds], max(amount for amount, _ in holds))
    print(f"{AT_ONCE} at once, cap ${CAP_NANOS / 1e9:.2f}, cheap model dead, fallback at 20 times the price")
    for outcome, number in sorted(outcomes.items()):
        print(f"  {outcome:<24} {number:>4}")
    print(f"  ceiling of a call        ${max(amount for amount, _ in holds) / 1e9:.6f}")
    print(f"  cost of a call           ${metered / len(served) / 1e9:.6f}")
    print(f"  spent, by the ledger     ${spent / 1e9:.6f}  = {100 * spent / CAP_NANOS:.1f} % of the cap")
    print(f"  spent, by the provider   ${metered / 1e9:.6f}  {'equal' if metered == spent else 'DIFFERENT'}")
    print(f"  still held               ${reserved / 1e9:.6f}")
    print(f"  used of what fits        {len(holds)} of {fit} calls = {100 * len(holds) / fit:.0f} %")


if __name__ == "__main__":
    main()
