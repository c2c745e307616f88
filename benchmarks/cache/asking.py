"""The running product with a provider on loopback, asked over its HTTP API on many connections."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from tests.races.product import Product, run_product
from tests.servers import Provider, run_provider

AT_ONCE = 16
SECONDS = 60  # a request waits for others' calls, too


@dataclass(frozen=True)
class Reply:
    source: str  # a layer, `model`, or what went wrong
    text: str

    @property
    def is_error(self) -> bool:
        return self.source.startswith("error")

    @property
    def is_cached(self) -> bool:
        return self.source != "model" and not self.is_error


@contextmanager
def running_product(**environment: str) -> Iterator[tuple[Product, Provider]]:
    with (
        run_provider() as provider,
        tempfile.TemporaryDirectory() as folder,
        run_product(Path(folder), provider, **environment) as product,
    ):
        yield product, provider


def ask_all(product: Product, key: str, bodies: Sequence[dict[str, Any]], *, at_once: int = AT_ONCE) -> list[Reply]:
    """In their order as far as `at_once` connections keep it."""
    limits = httpx2.Limits(max_connections=at_once, max_keepalive_connections=at_once)
    headers = {"Authorization": f"Bearer {key}"}
    with (
        httpx2.Client(base_url=product.url, headers=headers, limits=limits, timeout=SECONDS) as client,
        ThreadPoolExecutor(at_once) as pool,
    ):
        return list(pool.map(lambda body: _ask(client, body), bodies))


def _ask(client: httpx2.Client, body: dict[str, Any]) -> Reply:
    answer = client.post("/api/v1/descriptions", json=body)
    told = answer.json()
    if answer.is_success:
        return Reply(told["source"], told["text"])
    return Reply(f"error {answer.status_code} {told['error']['code']}", told["error"]["message"])
