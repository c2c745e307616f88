"""Identical requests at the same moment make one upstream call, whoever dies meanwhile."""

from __future__ import annotations

import signal
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest

from accounts.models import Workspace
from tests.races.conftest import StartWorker
from tests.races.processes import write_mug
from tests.races.product import Product, eventually
from tests.servers import KEY, Provider

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("product")]

REQUESTS = 50


@pytest.fixture(scope="session")
def key(running_product: Product) -> str:
    return running_product.create_key("Rush")


def ask_at_once(product: Product, key: str, number: int) -> list[httpx2.Response]:
    body = {"product": {"title": f"Mug {number:05d}", "attributes": {"Material": "stoneware", "Color": "blue"}}}

    def ask(_: int) -> httpx2.Response:
        return product.call(key, "POST", "descriptions", json=body)

    with ThreadPoolExecutor(REQUESTS) as pool:
        return list(pool.map(ask, range(REQUESTS)))


def assert_one_wrote_for_all(replies: list[httpx2.Response], provider: Provider) -> None:
    assert {reply.status_code for reply in replies} == {200}
    texts = [reply.json() for reply in replies]
    assert len({text["text"] for text in texts}) == 1
    sources = Counter(text["source"] for text in texts)
    assert sources["model"] == 1
    assert sources["coalesced"] + sources["exact"] == REQUESTS - 1
    assert Counter(text["cost_usd"] for text in texts)["0.00"] == REQUESTS - 1
    assert provider.meter()["requests"] == 1


def test_fifty_identical_requests_make_one_call(product: Product, key: str) -> None:
    product.provider.behave({"delay_ms": 500})

    assert_one_wrote_for_all(ask_at_once(product, key, 1), product.provider)


def test_one_call_serves_all_while_valkey_hangs(product: Product, key: str) -> None:
    product.provider.behave({"delay_ms": 500})
    product.kill("valkey", signal.SIGSTOP)
    try:
        replies = ask_at_once(product, key, 2)
    finally:
        product.kill("valkey", signal.SIGCONT)

    assert_one_wrote_for_all(replies, product.provider)


def test_failure_is_shared_instead_of_repeated(product: Product, key: str) -> None:
    product.provider.behave({"status": 529, "delay_ms": 4000, "retry_after": "7"})

    replies = ask_at_once(product, key, 3)

    assert {reply.status_code for reply in replies} == {503}
    assert {reply.headers["Retry-After"] for reply in replies} == {"7"}
    assert {reply.json()["error"]["code"] for reply in replies} == {"provider_unavailable"}
    meter = product.provider.meter()
    failed = "SELECT model_id FROM generation_llmcall WHERE outcome = 'failed' AND id::text = ANY(%s)"
    asked = product.fetch(failed, meter["call_ids"])
    assert len(asked) == len(set(asked)) == meter["requests"]  # no model was asked twice


@pytest.fixture
def told(provider: Provider, settings: Any) -> dict[str, Any]:
    """What workers are told: a short lease, and where the model is."""
    return {"JOB_LEASE_SECONDS": 2, "ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": provider.url}


def test_killed_leader_has_one_successor_and_everyone_is_answered(
    shop: Workspace, start_worker: StartWorker, provider: Provider, told: dict[str, Any]
) -> None:
    provider.behave({"delay_ms": 1000})
    leader = start_worker(write_mug, shop.pk, 1, **told)
    assert eventually(lambda: provider.meter()["requests"], pause=0.02)
    followers = [start_worker(write_mug, shop.pk, 1, **told) for _ in range(5)]

    leader.end()

    answers = [follower.result() for follower in followers]
    assert Counter(source for source, _ in answers) == {"model": 1, "coalesced": 4}
    assert len({text for _, text in answers}) == 1
    assert provider.meter()["requests"] == 2


def test_one_call_serves_all_without_valkey(
    shop: Workspace, start_worker: StartWorker, provider: Provider, told: dict[str, Any], settings: Any
) -> None:
    provider.behave({"delay_ms": 500})
    nowhere = {"default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:9/0"}}

    rivals = [start_worker(write_mug, shop.pk, 2, **told, CACHES=nowhere) for _ in range(5)]

    answers = [rival.result() for rival in rivals]
    assert Counter(source for source, _ in answers) == {"model": 1, "coalesced": 4}
    assert provider.meter()["requests"] == 1


def test_siblings_of_a_family_share_one_call(
    shop: Workspace, start_worker: StartWorker, provider: Provider, told: dict[str, Any]
) -> None:
    provider.behave({"delay_ms": 500})
    colors = ["blue", "red", "green", "black", "white"]

    siblings = [start_worker(write_mug, shop.pk, 3, color, **told) for color in colors]

    answers = [sibling.result() for sibling in siblings]
    assert Counter(source for source, _ in answers) == {"model": 1, "template": 4}
    assert all(color in text.lower() for color, (_, text) in zip(colors, answers, strict=True))
    assert provider.meter()["requests"] == 1
