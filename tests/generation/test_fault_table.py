"""Everything a provider may do wrong: what the shop sees, which attempts are on the books, and what the ledger says.

Each fault lasts. A model is asked once more where that is worth it and free.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import pytest

from accounts.budgets import Payer
from accounts.models import Reservation, UsageEntry, Workspace
from contentopt.errors import DomainError
from generation import health
from generation.engine import writing
from generation.engine.writing import Written, write
from generation.facts import Brief, extract_facts
from generation.health import breakers
from generation.models import LlmCall, LlmModel
from tests.servers import KEY, Provider, run_provider

pytestmark = pytest.mark.django_db

APRON = Brief(extract_facts({"title": "Linen Apron", "attributes": {"Material": "linen", "Weight": "320 g"}}))
Vendor = Literal["anthropic", "openai"]
Paid = Literal["nothing", "metered", "ceiling"]
UNAVAILABLE, REFUSED = (503, "provider_unavailable"), (422, "text_refused")


@dataclass(frozen=True)
class Fault:
    """How a provider fails, and what comes of it."""

    name: str
    behaviour: dict[str, Any] = field(default_factory=dict)
    kind: str = ""
    attempts: int = 1
    paid: Paid = "nothing"
    seen: tuple[int, str] = UNAVAILABLE
    retry_after: int = 10
    address: Literal["", "refused", "tls", "dns"] = ""
    vendor: Literal["", "anthropic", "openai"] = ""  # "": both
    way: Literal["", "whole", "streamed"] = ""  # "": both
    fields: tuple[str, ...] = ("description",)

    def __str__(self) -> str:
        return self.name


BOTH = ("description", "seo_title")

FAULTS = [
    Fault("connect refused", address="refused", kind="connection", attempts=2),
    Fault("TLS failure", address="tls", kind="connection", attempts=2),
    Fault("DNS failure", address="dns", kind="connection", attempts=2),
    Fault("400", {"status": 400}, kind="bad_request"),
    Fault("401", {"status": 401}, kind="auth"),
    Fault("403", {"status": 403}, kind="auth"),
    Fault("404 model", {"status": 404}, kind="not_found"),
    Fault("408", {"status": 408}, kind="timeout", paid="ceiling"),
    Fault("409", {"status": 409}, kind="server", attempts=2),
    Fault("413", {"status": 413}, kind="bad_request"),
    Fault("429, short wait", {"status": 429, "retry_after": "0.05"}, kind="rate_limited", attempts=2, retry_after=1),
    Fault("429, huge wait", {"status": 429, "retry_after": "4000000"}, kind="rate_limited", retry_after=60),
    Fault("429, no wait told", {"status": 429}, kind="rate_limited", attempts=2),
    Fault("500", {"status": 500}, kind="server", attempts=2),
    Fault("503", {"status": 503}, kind="overloaded", attempts=2),
    Fault("529", {"status": 529}, kind="overloaded", attempts=2),
    Fault("time-out before the first byte", {"delay_ms": 1500}, kind="timeout", paid="ceiling"),
    Fault("time-out after the first byte", {"fault": "trickle"}, kind="timeout", paid="ceiling", way="whole"),
    Fault("time-out after the first piece", {"fault": "stall"}, kind="timeout", paid="ceiling", way="streamed"),
    Fault("dropped before an answer", {"fault": "drop"}, kind="connection", paid="ceiling"),
    Fault("dropped midway", {"fault": "drop_midway"}, kind="connection", paid="ceiling"),
    Fault("ends without a reason", {"stop": None}, kind="malformed", paid="metered"),
    Fault("ends early, cleanly", {"fault": "end_early"}, kind="malformed", paid="ceiling", way="streamed"),
    Fault("error in mid-stream", {"fault": "error_event"}, kind="overloaded", paid="ceiling", way="streamed"),
    Fault(
        "wrong structured output", {"shared": "cut_json"}, kind="malformed", paid="metered", way="whole", fields=BOTH
    ),
    Fault("broken JSON", {"fault": "broken_json"}, kind="malformed", paid="ceiling"),
    Fault("not JSON", {"fault": "not_json"}, kind="malformed", paid="ceiling"),
    Fault("empty completion", {"text": " ", "output_tokens": 3}, kind="empty", paid="metered"),
    Fault("refusal", {"stop": "refusal"}, kind="refused", paid="metered", seen=REFUSED, vendor="anthropic"),
    Fault("refusal", {"refusal": "No."}, kind="refused", paid="metered", seen=REFUSED, vendor="openai"),
    Fault("filtered", {"stop": "content_filter"}, kind="refused", paid="metered", seen=REFUSED, vendor="openai"),
    Fault("max_tokens reached", {"stop": "max_tokens"}, kind="cut", paid="metered", vendor="anthropic"),
    Fault("max_tokens reached", {"stop": "length"}, kind="cut", paid="metered", vendor="openai"),
    Fault(
        "usage missing on a failure",
        {"stop": "max_tokens", "usage": None},
        kind="cut",
        paid="ceiling",
        vendor="anthropic",
    ),
    Fault("usage missing on a failure", {"stop": "length", "usage": None}, kind="cut", paid="ceiling", vendor="openai"),
]


VENDORS: tuple[Vendor, ...] = ("anthropic", "openai")
WAYS = ("whole", "streamed")
EVERY_FAULT = [
    pytest.param(vendor, fault, way, id=f"{vendor}, {way}, {fault.name}")
    for vendor in VENDORS
    for fault in FAULTS
    for way in WAYS
    if fault.vendor in ("", vendor) and fault.way in ("", way)
]
# One of each sort, at the model that is first in the route.
SORTS = {(fault.kind, fault.paid): fault for fault in reversed(FAULTS) if fault.vendor != "openai" and not fault.way}


@pytest.fixture(scope="module")
def fallback_process() -> Iterator[Provider]:
    with run_provider() as running:
        yield running


@pytest.fixture(autouse=True)
def _patience(db: None, monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """A little; and a single model of each vendor."""
    LlmModel.objects.exclude(tier="economy").update(is_enabled=False)
    settings.MODEL_RETRIES, settings.MODEL_RETRY_SECONDS = 1, 0.01
    monkeypatch.setattr(breakers, "LIMITED_SECONDS", 0.05)
    monkeypatch.setattr(writing, "retry_budget", health.RetryBudget())


def use(settings: Any, vendor: str, url: str) -> None:
    setattr(settings, f"{vendor.upper()}_API_KEY", KEY)
    setattr(settings, f"{vendor.upper()}_BASE_URL", f"{url}/v1" if vendor == "openai" else url)


def address(fault: Fault, provider: Provider) -> str:
    if fault.address == "tls":
        return provider.url.replace("http:", "https:")
    if fault.address == "dns":
        return "http://nobody.invalid"
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{unused.getsockname()[1]}"


def meet(fault: Fault, vendor: Vendor, provider: Provider, settings: Any) -> None:
    settings.MODEL_DEADLINE_SECONDS = 0.5 if fault.kind == "timeout" else 10
    use(settings, vendor, address(fault, provider) if fault.address else provider.url)
    provider.behave(fault.behaviour)


@dataclass
class Reader:
    """Who reads along."""

    told: str = ""

    def begin(self) -> None:
        self.told = ""

    def tell(self, piece: str) -> None:
        self.told += piece


def ask(shop: Workspace, fault: Fault, reader: Reader | None) -> Written | DomainError:
    try:
        return write(replace(APRON, fields=fault.fields), payer=Payer(shop.pk, "api"), listener=reader)
    except DomainError as error:
        return error


def assert_on_the_books(shop: Workspace, fault: Fault, provider: Provider, calls: list[LlmCall]) -> None:
    """The ledger is the server's meter where that was told, and never below it where it was not."""
    spent = sum(call.cost_nanos for call in calls)
    if fault.paid == "ceiling":
        assert [(call.cost_nanos, call.cost_is_exact) for call in calls] == [
            (call.ceiling_nanos, False) for call in calls
        ]
        assert spent >= provider.cost_nanos()
    else:
        assert spent == (provider.cost_nanos() if fault.paid == "metered" else 0)
        assert all(call.cost_is_exact for call in calls)
    lines = UsageEntry.objects.in_workspace(shop).filter(reservation_id__in=[call.pk for call in calls])
    assert sum(line.cost_nanos for line in lines) == spent
    holds = Reservation.objects.in_workspace(shop)
    assert {hold.state for hold in holds} <= {"settled", "committed", "released"}


@pytest.mark.parametrize(("vendor", "fault", "way"), EVERY_FAULT)
def test_fault_of_the_only_model(
    shop: Workspace, provider: Provider, vendor: Vendor, fault: Fault, way: str, settings: Any
) -> None:
    meet(fault, vendor, provider, settings)

    error = ask(shop, fault, Reader() if way == "streamed" else None)

    assert isinstance(error, DomainError)
    assert (error.status, error.code) == fault.seen
    assert error.retry_after == (fault.retry_after if error.status == 503 else None)
    assert ("Nothing was charged" in error.message) == (fault.paid == "nothing")
    calls = list(LlmCall.objects.in_workspace(shop))
    assert [(call.outcome, call.error_kind) for call in calls] == [("failed", fault.kind)] * fault.attempts
    assert_on_the_books(shop, fault, provider, calls)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("fault", SORTS.values(), ids=str)
def test_fault_is_not_noticed_where_there_is_another_model(
    shop: Workspace, provider: Provider, fallback_process: Provider, fault: Fault, way: str, settings: Any
) -> None:
    fallback_process.reset()
    use(settings, "openai", fallback_process.url)
    meet(fault, "anthropic", provider, settings)
    settings.MODEL_DEADLINE_SECONDS = max(settings.MODEL_DEADLINE_SECONDS, 2)
    reader = Reader()

    written = ask(shop, fault, reader if way == "streamed" else None)

    assert isinstance(written, Written)
    assert written.entry.fields["description"] == "The Linen Apron. Material: linen. Weight: 320 g."
    assert reader.told == (written.entry.fields["description"] if way == "streamed" else "")
    *bad, good = LlmCall.objects.in_workspace(shop).order_by("created_at")
    assert [(call.provider, call.error_kind) for call in bad] == [("anthropic", fault.kind)]
    assert_on_the_books(shop, fault, provider, bad)
    assert (good.provider, good.outcome, good.cost_nanos) == ("openai", "accepted", fallback_process.cost_nanos())
    assert written.spent.cost_nanos == sum(line.cost_nanos for line in UsageEntry.objects.in_workspace(shop))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("vendor", VENDORS)
def test_text_without_usage_is_served_and_counts_at_its_ceiling(
    shop: Workspace, provider: Provider, vendor: Vendor, way: str, settings: Any
) -> None:
    fault = Fault("usage missing", {"usage": None})
    meet(fault, vendor, provider, settings)

    written = ask(shop, fault, Reader() if way == "streamed" else None)

    assert isinstance(written, Written)
    (call,) = LlmCall.objects.in_workspace(shop)
    assert (call.outcome, call.cost_is_exact, call.cost_nanos) == ("accepted", False, call.ceiling_nanos)
    assert UsageEntry.objects.in_workspace(shop).get().cost_nanos == call.ceiling_nanos > provider.cost_nanos()
