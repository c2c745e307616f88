"""How long replies take while Valkey is stopped, flushed or hung in the middle of a burst, and whether the books agree.

    .venv/bin/python -m benchmarks.outage

Starts the whole product with a model provider on loopback that takes 100 ms, sends 72 different products over the API,
24 at once, and breaks Valkey when a third of the replies are in. The first line is a burst without a fault.
"""

from __future__ import annotations

import signal
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.races.bursts import BURST, assert_books_agree, burst, watched
from tests.races.product import Product, run_product
from tests.servers import run_provider

FAULTS: dict[str, Callable[[Product], None]] = {
    "healthy": lambda _product: None,
    "stopped": lambda product: product.kill("valkey"),
    "flushed": lambda product: product.flush(),
    "hung": lambda product: product.kill("valkey", signal.SIGSTOP),
}


def measure(product: Product, key: str, fault: Callable[[Product], None]) -> str:
    product.provider.reset()
    product.provider.behave({"delay_ms": 100})
    try:
        with watched(product) as violations:
            replies = burst(product, key, lambda: fault(product))
    finally:
        product.kill("valkey", signal.SIGCONT)
    assert_books_agree(product)
    seconds = sorted(taken for _, taken in replies)
    answered = sum(status == 200 for status, _ in replies)
    return (
        f"{answered} of {BURST} answered   p50 {seconds[BURST // 2]:.2f} s   p99 {seconds[BURST * 99 // 100]:.2f} s   "
        f"budgets crossed {len(violations)} times; ledger = budgets = provider"
    )


def main() -> None:
    with (
        run_provider() as provider,
        tempfile.TemporaryDirectory() as folder,
        run_product(Path(folder), provider) as product,
    ):
        key = product.create_key("Outage", plan="enterprise")
        product.execute("UPDATE accounts_plan SET burst_per_minute = 100000, requests_per_day = 1000000")
        burst(product, key, lambda: None)  # warm
        for name, fault in FAULTS.items():
            print(f"{name:<8} {measure(product, key, fault)}")


if __name__ == "__main__":
    main()
