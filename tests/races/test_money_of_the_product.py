"""Money in the whole product, two web and several worker processes under their supervisor, while things break."""

from __future__ import annotations

import json
import signal
import socket
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.factories import make_file, numbered_rows
from tests.races.bursts import BURST, assert_books_agree, body, burst, numbers, watched
from tests.races.product import Product, eventually

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("product")]

# A wall between trouble and a stack of time-outs; benchmarks.outage measures how far from it we are.
SLOWEST_SECONDS = 10.0
MOMENTS = (0.0, 0.0, 0.02, 0.02, 0.15, 0.15, 0.35, 0.35)  # seconds after asking


@pytest.fixture(scope="session")
def key(running_product: Product) -> str:
    """With limits, so that they are counted, and so high that nothing is refused by them."""
    running_product.execute("UPDATE accounts_plan SET burst_per_minute = 100000, requests_per_day = 1000000")
    return running_product.create_key("Spender", plan="enterprise")


def stop_valkey(product: Product) -> None:
    product.kill("valkey")


def flush_valkey(product: Product) -> None:
    product.flush()


def hang_valkey(product: Product) -> None:
    product.kill("valkey", signal.SIGSTOP)


@pytest.mark.parametrize("fault", [stop_valkey, flush_valkey, hang_valkey])
def test_valkey_that_fails_in_a_burst_costs_neither_money_nor_answers(
    product: Product, key: str, fault: Callable[[Product], None]
) -> None:
    product.provider.behave({"delay_ms": 100})
    try:
        with watched(product) as violations:
            replies = burst(product, key, lambda: fault(product))
    finally:
        product.kill("valkey", signal.SIGCONT)

    assert Counter(status for status, _ in replies) == {200: BURST}
    assert max(seconds for _, seconds in replies) < SLOWEST_SECONDS
    assert violations == []
    assert_books_agree(product)


def test_client_that_leaves_loses_neither_the_text_nor_the_money(product: Product, key: str) -> None:
    product.provider.behave({"delay_ms": 200})
    asked = [next(numbers) for _ in MOMENTS]

    with ThreadPoolExecutor(len(asked)) as pool:
        list(pool.map(lambda number, moment: ask_and_leave(product, key, number, after=moment), asked, MOMENTS))

    # Whoever left before the server took the request has asked for nothing; every other one is written to the end.
    eventually(lambda: texts_paid_for(product) == len(asked), 2)
    assert_books_agree(product)
    paid = texts_paid_for(product)
    again = [product.call(key, "POST", "descriptions", json=body(number)).json() for number in asked]
    assert Counter(text["source"] for text in again)["exact"] == paid
    assert texts_paid_for(product) == len(asked)
    assert_books_agree(product)


def texts_paid_for(product: Product) -> int:
    """Since the provider was reset; several may have shared a call."""
    sent = "SELECT count(*) FROM generation_llmcall WHERE COALESCE(batch_id, id)::text = ANY(%s)"
    count: int = product.fetch(sent, product.provider.meter()["call_ids"])[0][0]
    return count


def ask_and_leave(product: Product, key: str, number: int, *, after: float) -> None:
    content = json.dumps(body(number)).encode()
    head = (
        f"POST /api/v1/descriptions HTTP/1.1\r\nHost: 127.0.0.1:{product.port}\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", product.port)) as connection:
        connection.sendall(head.encode() + content)
        time.sleep(after)


def test_web_and_workers_together_never_cross_a_cap(product: Product) -> None:
    """A run of a hundred and a burst over the API share one cap that holds about half of it."""
    product.provider.behave({"delay_ms": 20, "output_tokens": 200})
    secret = product.create_key("Capped")
    catalogue = product.import_file(secret, make_file(numbered_rows(100)))
    product.execute("UPDATE accounts_workspace SET spend_cap_nanos = 10000000 WHERE slug = 'capped'")

    with watched(product) as violations:
        run = product.call(secret, "POST", "runs", json={"catalogue": catalogue}).json()
        replies = burst(product, secret, lambda: None)
        ended = eventually(lambda: product.call(secret, "GET", f"runs/{run['id']}").json()["state"] == "finished", 60)

    assert ended
    assert violations == []
    assert {status for status, _ in replies} <= {200, 402, 429}
    spent, reserved = product.fetch(
        "SELECT spent_nanos, reserved_nanos FROM accounts_budget b JOIN accounts_workspace w ON w.id = b.workspace_id"
        " WHERE w.slug = 'capped' AND scope = 'workspace'"
    )[0]
    ceiling = product.fetch(
        "SELECT max(ceiling_nanos) FROM generation_llmcall c JOIN accounts_workspace w ON w.id = c.workspace_id"
        " WHERE w.slug = 'capped'"
    )[0][0]
    assert 10_000_000 - ceiling < spent <= 10_000_000
    assert reserved == 0
    assert_books_agree(product)
