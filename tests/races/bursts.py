"""Bursts of requests at the running product, and what its books say of them."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

import psycopg

from tests.races.product import Product, eventually
from tests.races.watching import WATCH

AT_ONCE = 24
BURST = 72
SETTLED_SECONDS = 20  # long before a hold expires, which would hide one that was left behind
numbers = count(70_000)
# Of the model that serves, in nano-dollars a token.
RATES = {"input_uncached": 100, "input_cached": 10, "cache_write_short": 125, "cache_write_long": 200, "output": 500}


def body(number: int) -> dict[str, Any]:
    return {"product": {"title": f"Mug {number:05d}", "attributes": {"Material": "stoneware"}}}


@contextlib.contextmanager
def watched(product: Product) -> Iterator[list[Any]]:
    """Samples every budget of the product while the block runs; yields what should stay empty."""
    violations: list[Any] = []
    stop = False

    def watch() -> None:
        with psycopg.connect(product.database_url, autocommit=True) as database:
            while not stop:
                rows = database.execute(WATCH).fetchall()
                violations.extend(row for row in rows if (row[2] is not None and row[1] > row[2]) or row[3] != row[4])
                time.sleep(0.005)

    with ThreadPoolExecutor(1) as pool:
        work = pool.submit(watch)
        try:
            yield violations
        finally:
            stop = True
            work.result()


def burst(product: Product, key: str, meanwhile: Callable[[], None]) -> list[tuple[int, float]]:
    """(status, seconds) of each reply; the fault happens when a third of them are in."""

    def ask(number: int) -> tuple[int, float]:
        began = time.monotonic()
        reply = product.call(key, "POST", "descriptions", json=body(number))
        return reply.status_code, time.monotonic() - began

    with ThreadPoolExecutor(AT_ONCE + 1) as pool:
        replies = [pool.submit(ask, next(numbers)) for _ in range(BURST)]
        eventually(lambda: sum(reply.done() for reply in replies) > BURST // 3, pause=0.01)
        meanwhile()
        return [reply.result() for reply in replies]


def books(product: Product) -> dict[str, int]:
    """What the ledger, the budgets, the calls and the provider say was spent since the provider was reset."""
    ids = product.provider.meter()["call_ids"]
    calls = product.fetch(
        "SELECT id, cost_nanos FROM generation_llmcall WHERE COALESCE(batch_id, id)::text = ANY(%s)", ids
    )
    entries = "SELECT COALESCE(sum(cost_nanos), 0)::bigint FROM accounts_usageentry"
    spent = "SELECT COALESCE(sum(spent_nanos), 0)::bigint FROM accounts_budget WHERE scope = 'workspace'"
    return {
        "ledger": product.fetch(f"{entries} WHERE reservation_id = ANY(%s)", [call for call, _ in calls])[0][0],
        "calls": sum(cost for _, cost in calls),
        "provider": sum(RATES[kind] * call[kind] for call in product.provider.meter()["served"] for kind in RATES),
        "whole ledger": product.fetch(entries)[0][0],
        "all budgets": product.fetch(spent)[0][0],
    }


def assert_books_agree(product: Product) -> None:
    assert eventually(lambda: not product.open_holds(), SETTLED_SECONDS), product.open_holds()
    found = books(product)
    assert found["ledger"] == found["calls"] == found["provider"]
    assert found["whole ledger"] == found["all budgets"]
