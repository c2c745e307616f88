"""Our stand-in for Stripe beside `localstripe`, which others wrote: where both speak, they say the same.

One shop's story is told to both by Stripe's own SDK, and every field that both reply with is compared. localstripe
speaks an API of before prices, so what is sold is a plan there. Where they differ, Stripe's reference decides: the list
below names each difference with the reason, and nothing may stand in it that is none. localstripe (GPL) is a program in
an environment of its own, never imported here: `make localstripe`.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

import httpx2
import pytest
import stripe as sdk

from contentopt.engines.engine import free_port
from tests.programs import run_program
from tests.servers import ROOT, STRIPE_KEY, Stripe

pytestmark = pytest.mark.xdist_group("localstripe")

PYTHON = ROOT / ".local" / "localstripe" / "bin" / "python"
# As its own command, but on loopback alone, and without the file that it keeps in /tmp for everybody.
PROGRAM = """
import sys
from aiohttp import web
from localstripe.resources import Store
from localstripe.server import app
Store.dump_to_disk = lambda store: None
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None)
"""

# Step and field -> why they differ. It is theirs that Stripe's reference does not bear out, but for the last group.
DIFFERENCES = {
    # What Stripe has changed since the version that localstripe speaks.
    "*/sources": "included only when it is asked for, since 2020-08-27",
    "*/subscriptions": "the same",
    "*/tax_ids": "the same",
    "*/refunds": "the same, since 2022-11-15",
    "*/latest_charge": "an id unless it is expanded",
    "*lines/data/0/subscription": "in `parent` since 2025-03-31",
    "*/items/data/0/plan/id": "a price has its own id where a plan's was chosen",
    "*/webhooks_delivered_at": "null until they are",
    # What localstripe leaves empty or does not do.
    "*/billing_cycle_anchor": "never null",
    "*/billing_reason": "never null for a subscription's invoice",
    "*/canceled_at": "the moment of asking, also when it ends later",
    "cancelled at the period's end/cancel_at": "set together with cancel_at_period_end",
    "*/error/code": "localstripe names none",
    "*/error/param": "the same",
    "*/error/decline_code": "the same",
    "*/error/type": "a declined card is a card_error",
    "customer*/currency": "null until something is bought",
    "default card/currency": "the same",
    "product*/shippable": "null for a service",
    "*/card/country": "Stripe's list has 4242… as a card of the United States",
    "part refunded/payment_intent": "a charge's refund names its intent",
    "refunded too much": "more than is left is refused",
    "cancelled again": "a subscription that has ended is not found",
    "next invoice/attempted": "nobody has tried to collect it yet",
    "next invoice/attempt_count": "the same",
    "next invoice/lines/data/0/invoice": "it has no id that could be asked for",
    "next invoice/lines/url": "the same",
    "*/default_tax_rates": "an empty list when there are none",
    "*lines/data/0/description": "a line names the quantity and the rate too",
    "cannot be paid": "a card that is declined is an error",
    "no card/error/status": "the request is at fault, not the address: 400",
    "not paid/latest_invoice/next_payment_attempt": "a first payment is not tried again",
    "not paid, and that is an error": "the subscription is not made",
    "deleted customer": "found, and says that it is deleted",
    "same key/*": "a key's second call gets the first one's answer",
    "newest/*": "the newest first",
    "older/*": "the same",
    # What our stand-in does not keep; the product reads none of it.
    "*/balance_transaction": "no balances here",
    "*/ending_balance": "no balance of a customer is applied",
    "next invoice/next_payment_attempt": "no time of collecting is foretold",
}


@pytest.fixture(scope="module")
def localstripe() -> Iterator[str]:
    if not PYTHON.exists():
        assert not os.environ.get("REQUIRE_LOCALSTRIPE"), "REQUIRE_LOCALSTRIPE is set, and localstripe is not installed"
        pytest.skip("localstripe is not installed: make localstripe")
    port = free_port()
    command = [str(PYTHON), "-c", PROGRAM, str(port)]
    with run_program(
        command, port, "/v1/customers", lambda reply: reply.status_code == 401, stderr=subprocess.DEVNULL
    ) as url:
        yield url


@pytest.fixture(scope="module")
def told(localstripe: str, stripe_process: Stripe) -> tuple[dict[str, Any], dict[str, Any]]:
    """What ours said, and what theirs did, step by step."""
    stripe_process.reset()
    plan = {"amount": "2400", "currency": "usd", "interval": "month", "product[name]": "Pro"}
    headers = {"Authorization": f"Bearer {STRIPE_KEY}"}
    sold = httpx2.post(f"{localstripe}/v1/plans", data=plan, headers=headers).raise_for_status().json()
    wish = {
        "unit_amount": 2_400,
        "currency": "usd",
        "recurring": {"interval": "month"},
        "product_data": {"name": "Pro"},
    }
    price = stripe_process.v1.prices.create(wish)
    theirs = Stripe(localstripe)
    return dict(tell(stripe_process.v1, {"price": price.id})), dict(tell(theirs.v1, {"plan": sold["id"]}))


def tell(v1: Any, item: dict[str, str]) -> Iterator[tuple[str, Any]]:
    """A shop's story; each step with the reply."""
    ada = v1.customers.create({"name": "Ada", "email": "ada@shop.example", "metadata": {"a": "1"}})
    yield "customer", ada
    yield "customer changed", v1.customers.update(ada.id, {"description": "first", "metadata": {"b": "2"}})
    yield "customers", v1.customers.list({"email": "ada@shop.example"})
    yield "missing customer", refusal(v1.customers.retrieve, "cus_missing")
    yield "unknown parameter", refusal(v1.customers.create, {"emial": "ada@shop.example"})
    twice = [v1.customers.create({"name": "Once"}, {"idempotency_key": "once"}).id for _ in range(2)]
    yield "same key", {"is_same": twice[0] == twice[1]}
    yield "product", v1.products.create({"name": "Pro", "metadata": {"k": "v"}})
    yield "products", v1.products.list({"active": True, "limit": 1})

    card = save_card(v1, "4242424242424242")
    yield "card", card
    again = save_card(v1, "4242424242424242")
    yield "same number", {"is_same_fingerprint": again.card.fingerprint == card.card.fingerprint}
    yield "card attached", v1.payment_methods.attach(card.id, {"customer": ada.id})
    yield "default card", v1.customers.update(ada.id, {"invoice_settings": {"default_payment_method": card.id}})
    yield "cards", v1.payment_methods.list({"customer": ada.id, "type": "card"})
    declined = save_card(v1, "4000000000000002")
    yield "declined card attached", refusal(v1.payment_methods.attach, declined.id, {"customer": ada.id})

    pro = v1.subscriptions.create({"customer": ada.id, "items": [item], "metadata": {"m": "1"}})
    yield "subscription", pro
    yield "its first invoice", v1.subscriptions.retrieve(pro.id, {"expand": ["latest_invoice"]})
    ending = {"cancel_at_period_end": True, "metadata": {"n": "2"}}
    yield "cancelled at the period's end", v1.subscriptions.update(pro.id, ending)
    yield "kept", v1.subscriptions.update(pro.id, {"cancel_at_period_end": False})
    yield "subscriptions", v1.subscriptions.list({"customer": ada.id})
    yield "next invoice", v1.invoices.create_preview({"customer": ada.id, "subscription": pro.id})
    yield "invoices", v1.invoices.list({"customer": ada.id})
    yield "lines", v1.invoices.line_items.list(pro.latest_invoice)
    yield "paid twice", refusal(v1.invoices.pay, pro.latest_invoice)
    charge = v1.charges.list({"customer": ada.id}).data[0]
    yield "charge", charge
    yield "part refunded", v1.refunds.create({"charge": charge.id, "amount": 100})
    yield "charge then", v1.charges.retrieve(charge.id)
    yield "refunded too much", refusal(v1.refunds.create, {"charge": charge.id, "amount": 2_400})
    yield "cancelled", v1.subscriptions.cancel(pro.id)
    yield "still found", v1.subscriptions.retrieve(pro.id)
    yield "no longer listed", v1.subscriptions.list({"customer": ada.id})
    yield "but among all", v1.subscriptions.list({"customer": ada.id, "status": "all"})
    yield "cancelled again", refusal(v1.subscriptions.cancel, pro.id)

    bea = v1.customers.create({"name": "Bea"})
    wish = {"customer": bea.id, "items": [item]}
    yield "no card", refusal(v1.subscriptions.create, wish)
    yield "nobody's subscription", refusal(v1.subscriptions.create, {**wish, "customer": "cus_missing"})
    failing = save_card(v1, "4000000000000341")
    yield "failing card attached", v1.payment_methods.attach(failing.id, {"customer": bea.id})
    v1.customers.update(bea.id, {"invoice_settings": {"default_payment_method": failing.id}})
    unpaid = v1.subscriptions.create({**wish, "expand": ["latest_invoice"]})
    yield "not paid", unpaid
    yield "cannot be paid", refusal(v1.invoices.pay, unpaid.latest_invoice.id)
    strict = {**wish, "payment_behavior": "error_if_incomplete"}
    yield "not paid, and that is an error", refusal(v1.subscriptions.create, strict)

    payment = {"amount": 500, "currency": "usd", "confirm": True}
    yield "payment", v1.payment_intents.create({**payment, "customer": ada.id, "payment_method": card.id})
    failing_payment = {**payment, "customer": bea.id, "payment_method": failing.id}
    yield "declined payment", refusal(v1.payment_intents.create, failing_payment)
    intent = v1.payment_intents.create({"amount": 500, "currency": "usd"})
    yield "payment cancelled", v1.payment_intents.cancel(intent.id)
    yield "payment cancelled again", refusal(v1.payment_intents.cancel, intent.id)
    yield "coupon", v1.coupons.create({"id": "TEN", "percent_off": 10, "duration": "once"})
    yield "coupon found", v1.coupons.retrieve("TEN")
    yield "coupon deleted", v1.coupons.delete("TEN")
    yield "missing coupon", refusal(v1.coupons.retrieve, "TEN")

    three = [v1.customers.create({"name": name, "email": "page@shop.example"}).id for name in "abc"]
    page = v1.customers.list({"email": "page@shop.example", "limit": 2})
    yield "newest", {"which": [three.index(each.id) for each in page.data]}
    yield "there are more", {"has_more": page.has_more}
    after = {"email": "page@shop.example", "limit": 2, "starting_after": page.data[-1].id}
    page = v1.customers.list(after)
    yield "older", {"which": [three.index(each.id) for each in page.data]}
    yield "there are no more", {"has_more": page.has_more}
    yield "no such page", refusal(v1.customers.list, {"limit": 0})
    yield "customer deleted", v1.customers.delete(three[0])
    yield "deleted customer", refusal(v1.customers.retrieve, three[0])
    yield "deleted again", refusal(v1.customers.delete, three[0])
    yield "events", {"types": sorted({each.type for each in v1.events.list({"limit": 100}).auto_paging_iter()})}


def save_card(v1: Any, number: str) -> Any:
    card = {"number": number, "exp_month": 11, "exp_year": 2040, "cvc": "123"}
    return v1.payment_methods.create({"type": "card", "card": card})


def refusal(call: Any, *arguments: Any) -> Any:
    """The error, or the reply where there is none."""
    try:
        return call(*arguments)
    except sdk.StripeError as error:
        said = dict.fromkeys(("type", "code", "param", "decline_code")) | error.json_body["error"]  # type: ignore[index]
        return {"error": {"class": type(error).__name__, "status": error.http_status} | said}


# --- The comparison ---------------------------------------------------------------------------------------------------

UNLIKE = {"fingerprint", "message"}  # each has words and hashes of its own


def compare(ours: Any, theirs: Any, path: str) -> Iterator[tuple[str, bool]]:
    """Each field that both have, and whether they say the same."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        if ("error" in ours) != ("error" in theirs):
            yield path, False
        for name in ours.keys() & theirs.keys():
            yield from compare(ours[name], theirs[name], f"{path}/{name}")
    elif isinstance(ours, list) and isinstance(theirs, list):
        yield f"{path}/length", len(ours) == len(theirs)
        for number, (one, other) in enumerate(zip(ours, theirs, strict=False)):
            yield from compare(one, other, f"{path}/{number}")
    else:
        yield path, alike(ours) == alike(theirs)


def alike(value: Any) -> Any:
    """Ids by their kind, moments as such."""
    if isinstance(value, str):
        return re.sub(r"\b([a-z]{2,}_)(?=\w*[A-Z0-9])\w{10,}", r"\1…", value)
    is_moment = isinstance(value, int) and value > 1_000_000_000
    return "a moment" if is_moment else value


def differences(told: tuple[dict[str, Any], dict[str, Any]]) -> dict[str, bool]:
    """Path -> whether both say the same."""
    ours, theirs = (
        {step: reply.to_dict() if hasattr(reply, "to_dict") else reply for step, reply in each.items()} for each in told
    )
    assert list(ours) == list(theirs)
    pairs = [pair for step in ours if step != "events" for pair in compare(ours[step], theirs[step], step)]
    return {path: is_same for path, is_same in pairs if path.rpartition("/")[2] not in UNLIKE}


def test_where_both_speak_they_say_the_same(told: tuple[dict[str, Any], dict[str, Any]]) -> None:
    compared = differences(told)

    differing = [path for path, is_same in compared.items() if not is_same]
    assert [path for path in differing if not any(fnmatchcase(path, each) for each in DIFFERENCES)] == []
    assert len(compared) - len(differing) > 800


def test_differences_that_are_listed_are_there(told: tuple[dict[str, Any], dict[str, Any]]) -> None:
    differing = [path for path, is_same in differences(told).items() if not is_same]

    assert [each for each in DIFFERENCES if not any(fnmatchcase(path, each) for path in differing)] == []


def test_events_that_it_tells_of_are_told_here_too(told: tuple[dict[str, Any], dict[str, Any]]) -> None:
    ours, theirs = (set(each["events"]["types"]) for each in told)

    assert theirs - ours == {"plan.created"}  # prices are made here
