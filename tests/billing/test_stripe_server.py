"""The stand-in for Stripe, asked by Stripe's own SDK and by Stripe's own command-line client."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import stripe as sdk

from tests.races.product import eventually
from tests.servers import ROOT, STRIPE_KEY, Stripe
from tests.stripe_receiver import SECRET, Receiver, run_receiver

HEADERS = {"Authorization": f"Bearer {STRIPE_KEY}", "Stripe-Version": "2026-10-28.endive"}


@pytest.fixture
def server(stripe_process: Stripe) -> Stripe:
    stripe_process.reset()
    return stripe_process


@pytest.fixture
def receiver(server: Stripe) -> Iterator[Receiver]:
    with run_receiver() as running:
        endpoint = server.tell("endpoint", url=running.url, secret=SECRET)
        yield running
        server.v1.webhook_endpoints.delete(endpoint["id"])


def post(server: Stripe, path: str, form: dict[str, str], **headers: str) -> httpx2.Response:
    return httpx2.post(f"{server.url}/v1/{path}", data=form, headers={**HEADERS, **headers})


@pytest.mark.parametrize(
    ("path", "form", "param"),
    [
        ("customers", {"emial": "a@b.example"}, "emial"),
        ("subscriptions", {"customer": "cus_1", "items[0][prise]": "p"}, "items[0][prise]"),
        ("subscriptions", {"customer": "cus_1", "items[0][quantity]": "two"}, "items[0][quantity]"),
        ("checkout/sessions", {"mode": "subscriptionz"}, "mode"),
        ("billing/meter_events", {"payload[value]": "1"}, "event_name"),
        (
            "payment_intents",
            {"amount": "1", "currency": "usd", "payment_method_types[]": "card"},
            "payment_method_types",
        ),
        ("customers", {"api_key": "sk_test_in_the_form"}, "api_key"),
    ],
)
def test_what_the_sdks_types_do_not_know_is_refused(
    server: Stripe, path: str, form: dict[str, str], param: str
) -> None:
    refused = post(server, path, form)

    assert refused.status_code == 400
    assert refused.json()["error"]["param"] == param


def test_old_parameters_are_taken_only_from_those_who_name_no_version(server: Stripe) -> None:
    form = {"amount": "100", "currency": "usd", "payment_method_types[]": "card"}
    unpinned = httpx2.post(
        f"{server.url}/v1/payment_intents", data=form, headers={"Authorization": HEADERS["Authorization"]}
    )
    assert unpinned.json()["payment_method_types"] == ["card"]


def test_a_wrong_key_is_refused(server: Stripe) -> None:
    for key in ("nothing", "pk_test_1", "sk_live_1"):
        assert httpx2.get(f"{server.url}/v1/customers", headers={"Authorization": f"Bearer {key}"}).status_code == 401


def test_a_key_makes_a_call_once_with_its_answer(server: Stripe) -> None:
    first, second = (post(server, "customers", {"name": "A"}, **{"Idempotency-Key": "k"}) for _ in range(2))
    other = post(server, "customers", {"name": "B"}, **{"Idempotency-Key": "k"})

    assert first.json()["id"] == second.json()["id"]
    assert (other.status_code, other.json()["error"]["type"]) == (400, "idempotency_error")
    assert len(server.v1.customers.list({}).data) == 1


def test_a_failure_after_the_effect_is_there_when_asked_again(server: Stripe) -> None:
    server.tell("faults", api=[{"drop": True, "after": True}])
    client = sdk.StripeClient(STRIPE_KEY, base_addresses={"api": server.url}, max_network_retries=1)

    client.v1.customers.create({"name": "A"})  # the SDK tries again under the same key

    assert len(server.v1.customers.list({}).data) == 1


def test_webhooks_are_signed_and_come_again_until_they_are_taken(server: Stripe, receiver: Receiver) -> None:
    receiver.refusals = 1
    server.v1.customers.create({"name": "A"})

    assert eventually(lambda: receiver.events)
    assert receiver.types() == {"customer.created"}
    assert eventually(lambda: server.v1.events.list({}).data[0].pending_webhooks == 0, 10)


def test_faults_of_delivery(server: Stripe, receiver: Receiver) -> None:
    server.tell("faults", webhooks={"repeat": 2, "shuffle": True})
    for number in range(5):
        server.v1.customers.create({"name": str(number)})
    assert eventually(lambda: len(receiver.events) == 15)

    server.tell("faults", webhooks={"drop": 1})
    server.v1.customers.create({"name": "lost"})
    server.tell("faults", webhooks={})
    server.v1.customers.create({"name": "told"})
    assert eventually(lambda: len(receiver.events) == 16)


def test_a_test_clock_moves_a_subscription_through_its_life(server: Stripe) -> None:
    api, start = server.v1, 1_800_000_000
    clock = api.test_helpers.test_clocks.create({"frozen_time": start})
    customer = api.customers.create({"test_clock": clock.id, "payment_method": "pm_card_visa"})
    price = a_price(api)
    subscription = api.subscriptions.create(
        {"customer": customer.id, "items": [{"price": price}], "trial_period_days": 7}
    )

    def at(days: int) -> Any:
        api.test_helpers.test_clocks.advance(clock.id, {"frozen_time": start + days * 86_400})
        return api.subscriptions.retrieve(subscription.id, {"expand": ["latest_invoice"]})

    assert subscription.status == "trialing"
    assert at(6).status == "trialing"
    after_trial = at(8)
    assert (after_trial.status, after_trial.latest_invoice.status) == ("active", "paid")
    server.tell("faults", decline={customer.id: "insufficient_funds"})
    assert at(45).status == "past_due"
    assert at(80).status == "canceled"


def a_price(api: Any) -> str:
    wish = {"unit_amount": 1_000, "currency": "usd", "recurring": {"interval": "month"}}
    return str(api.prices.create({**wish, "product_data": {"name": "Plan"}}).id)


# --- Stripe's own client ----------------------------------------------------------------------------------------------

CLIENT = shutil.which("stripe") or str(ROOT / ".local" / "stripe-cli" / "node_modules" / ".bin" / "stripe")


def last(server: Stripe, resource: str) -> Any:
    return getattr(server.v1, resource).list({}).data[0]


def subscription(status: str) -> Callable[[Stripe], bool]:
    def holds(server: Stripe) -> bool:
        return bool(server.v1.subscriptions.list({"status": "all"}).data[0].status == status)

    return holds


# The trigger, and what the server holds afterwards. The event of its name must have come, signed.
TRIGGERS: dict[str, Callable[[Stripe], bool]] = {
    "customer.created": lambda server: last(server, "customers").object == "customer",
    "customer.subscription.created": subscription("active"),
    "customer.subscription.updated": lambda server: last(server, "subscriptions").metadata.to_dict() != {},
    "customer.subscription.deleted": subscription("canceled"),
    "customer.subscription.paused": subscription("paused"),
    "customer.subscription.trial_will_end": subscription("trialing"),
    "checkout.session.completed": lambda server: server.v1.checkout.sessions.list({}).data[0].payment_status == "paid",
    "checkout.session.expired": lambda server: server.v1.checkout.sessions.list({}).data[0].status == "expired",
    "invoice.paid": lambda server: last(server, "invoices").status == "paid",
    "invoice.payment_failed": lambda server: last(server, "invoices").attempt_count >= 1,
    "invoice.payment_action_required": lambda server: last(server, "payment_intents").status == "requires_action",
    "charge.refunded": lambda server: (
        last(server, "charges").refunded and last(server, "refunds").status == "succeeded"
    ),
    "charge.dispute.created": lambda server: last(server, "charges").disputed and last(server, "disputes").amount > 0,
    "subscription.payment_succeeded": subscription("active"),
    "subscription.payment_failed": subscription("incomplete"),
    "subscription_schedule.created": lambda server: len(last(server, "subscription_schedules").phases) >= 1,
    "billing_portal.session.created": lambda server: len(server.v1.billing_portal.configurations.list({}).data) == 1,
    "price.created": lambda server: last(server, "prices").unit_amount is not None,
    "promotion_code.created": lambda server: bool(
        [event for event in server.events() if event["data"]["object"].get("promotion", {}).get("coupon")]
    ),
    "test_helpers.test_clock.created": lambda server: (
        server.v1.test_helpers.test_clocks.list({}).data[0].status == "ready"
    ),
}
# Of triggers that are named for no event.
OTHER_EVENTS = {
    "subscription.payment_succeeded": "invoice.payment_succeeded",
    "subscription.payment_failed": "invoice.payment_failed",
}


@pytest.mark.parametrize("trigger", TRIGGERS)
def test_stripes_own_client_plays_its_triggers(
    server: Stripe, receiver: Receiver, trigger: str, tmp_path: Path
) -> None:
    if not Path(CLIENT).exists():
        assert not os.environ.get("REQUIRE_STRIPE_CLI"), (
            "REQUIRE_STRIPE_CLI is set, and Stripe's client is not installed"
        )
        pytest.skip("Stripe's client is not installed: make stripe-cli")
    command = [CLIENT, "trigger", trigger, "--api-key", STRIPE_KEY, "--api-base", server.url]

    played = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "HOME": str(tmp_path)})

    assert played.returncode == 0, played.stdout + played.stderr
    assert TRIGGERS[trigger](server)
    event = OTHER_EVENTS.get(trigger, trigger)
    assert eventually(lambda: event in receiver.types()), receiver.types()
