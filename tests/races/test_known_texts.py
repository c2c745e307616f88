"""Known texts, given by several processes that each remember the account, while it changes and while Valkey forgets."""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest
from django.test import Client
from django_redis import get_redis_connection

from accounts.metering import stream_key
from accounts.models import Workspace
from accounts.services.keys import issue_key, revoke_key
from tests.races.bursts import AT_ONCE, assert_books_agree, body
from tests.races.conftest import StartWorker
from tests.races.processes import ask_until_refused
from tests.races.product import Product, eventually

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("product")]

KNOWN = 12
ASKED = 240
numbers = count(90_000)


def test_a_key_revoked_here_is_refused_there_from_the_next_request_on(
    shop: Workspace, start_worker: StartWorker
) -> None:
    key, secret = issue_key(workspace=shop, name="Two processes", scopes=["write"])
    client = Client(headers={"Authorization": f"Bearer {secret}"})
    for number in (1, 2):
        assert client.post("/api/v1/descriptions", body(number), content_type="application/json").status_code == 200

    workers = [start_worker(ask_until_refused, secret, body(number)) for number in (1, 2)]
    assert eventually(lambda: given_the_short_way() >= {1, 2}, pause=0.01)
    revoke_key(key)
    revoked_at = time.monotonic()

    for worker in workers:
        asked = worker.result()
        assert {status for began, status, _ in asked if began > revoked_at} == {401}
        assert 0 in [queries for began, status, queries in asked if began < revoked_at]


def given_the_short_way() -> set[int]:
    """Numbers of the products that were, several times."""
    lines = [line.get(b"asked", b"") for _, line in get_redis_connection("default").xrange(stream_key())]
    return {n for n in (1, 2) if sum(f"Mug {n:05d}".encode() in line for line in lines) > 3}


@pytest.fixture
def known(product: Product) -> tuple[str, list[int]]:
    """A key, and what was written for it."""
    key, written = product.create_key("Known"), [next(numbers) for _ in range(KNOWN)]
    for number in written:
        assert product.call(key, "POST", "descriptions", json=body(number)).status_code == 200
    return key, written


def test_a_flush_under_load_costs_no_error_and_no_call(product: Product, known: tuple[str, list[int]]) -> None:
    key, written = known
    calls = product.provider.meter()["requests"]

    def ask(turn: int) -> tuple[int, str]:
        if turn in (ASKED // 3, ASKED // 2):
            product.flush()
        reply = product.call(key, "POST", "descriptions", json=body(written[turn % KNOWN]))
        return reply.status_code, reply.json()["source"]

    with ThreadPoolExecutor(AT_ONCE) as pool:
        replies = Counter(pool.map(ask, range(ASKED)))

    assert replies == {(200, "exact"): ASKED}
    assert product.provider.meter()["requests"] == calls
    assert_books_agree(product)


def test_a_key_revoked_by_sql_is_refused_within_seconds(product: Product, known: tuple[str, list[int]]) -> None:
    key, written = known

    def statuses() -> set[int]:
        return {product.call(key, "POST", "descriptions", json=body(written[0])).status_code for _ in range(8)}

    assert statuses() == {200}
    product.execute("UPDATE accounts_apikey SET revoked_at = now() WHERE prefix = %s", key.partition(".")[0])

    assert eventually(lambda: statuses() == {401}, 10)
