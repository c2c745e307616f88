"""Loopback servers as real processes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import stripe

from generation.llm.types import Endpoint

ROOT = Path(__file__).resolve().parent.parent
KEY = "test-key"
# Nano-dollars a token.
RATES = {"input_uncached": 100, "input_cached": 10, "cache_write_short": 125, "cache_write_long": 200, "output": 500}


@dataclass(frozen=True)
class Provider:
    """A running tests.provider_server."""

    url: str
    pid: int = 0  # of nobody who is there

    @property
    def anthropic(self) -> Endpoint:
        return Endpoint(self.url, KEY)

    @property
    def openai(self) -> Endpoint:
        return Endpoint(f"{self.url}/v1", KEY)

    def behave(self, *behaviours: dict[str, Any]) -> None:
        """Script the next replies, one request each; the last one stays. See Behaviour for the words."""
        httpx2.post(f"{self.url}/_control", json={"behaviours": behaviours}).raise_for_status()

    def release(self) -> None:
        """Answer what the barrier holds back, and hold nothing back any more."""
        httpx2.post(f"{self.url}/_release").raise_for_status()

    def treat_batches(self, **changes: Any) -> None:
        """See Treatment in tests.provider_batches for the words."""
        httpx2.post(f"{self.url}/_batches", json=changes).raise_for_status()

    def expire(self) -> None:
        """Minutes pass: the vendor's prompt cache is empty."""
        httpx2.post(f"{self.url}/_expire").raise_for_status()

    def requests(self) -> list[dict[str, Any]]:
        """The latest ones, as they came."""
        requests: list[dict[str, Any]] = httpx2.get(f"{self.url}/_requests").json()
        return requests

    def meter(self) -> dict[str, Any]:
        reading: dict[str, Any] = httpx2.get(f"{self.url}/_meter").json()
        return reading

    def cost_nanos(self) -> int:
        """What it served, at the rates of the economy models."""
        return sum(served[name] * rate for served in self.meter()["served"] for name, rate in RATES.items())

    def reset(self) -> None:
        httpx2.post(f"{self.url}/_reset").raise_for_status()


STRIPE_KEY, WEBHOOK_SECRET = "sk_test_on_loopback", "whsec_only_for_tests"


@dataclass(frozen=True)
class Stripe:
    """A running stripe_server, and what a customer and Stripe's own dashboard do with it."""

    url: str

    @property
    def v1(self) -> Any:
        """Stripe's own SDK, as somebody else than the product uses it."""
        return stripe.StripeClient(STRIPE_KEY, base_addresses={"api": self.url}, max_network_retries=0).v1

    def tell(self, command: str, **asked: Any) -> Any:
        """See stripe_server.control for the commands."""
        reply = httpx2.post(f"{self.url}/_{command}", json=asked, timeout=30)
        reply.raise_for_status()
        return reply.json()

    def reset(self, days_ago: int = 0) -> None:
        self.tell("reset", offset=-days_ago * 86_400)

    def events(self) -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = self.tell("events")
        return listed

    def pay(self, checkout_url: str, card: str = "4242424242424242", **answered: str) -> httpx2.Response:
        """On the hosted page. A redirect is success; anything else is the page with what is wrong."""
        return httpx2.post(checkout_url, data={"card": card, **answered}, follow_redirects=False)


def sign(body: bytes, *secrets: str, at: int | None = None) -> str:
    """The header of Stripe's webhooks, with a signature for each secret."""
    headers = [
        stripe.WebhookSignature.generate_signature_header(body.decode(), secret, timestamp=at)
        for secret in secrets or (WEBHOOK_SECRET,)
    ]
    return ",".join([headers[0], *[header.partition(",")[2] for header in headers[1:]]])


@contextmanager
def run_stripe(*arguments: str) -> Iterator[Stripe]:
    command = [sys.executable, "-m", "stripe_server", "--port", "0", *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield Stripe(f"http://127.0.0.1:{int(process.stdout.readline())}")
        finally:
            process.terminate()


@contextmanager
def run_provider() -> Iterator[Provider]:
    command = [sys.executable, "-m", "tests.provider_server", "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield Provider(f"http://127.0.0.1:{int(process.stdout.readline())}", process.pid)
        finally:
            process.terminate()
