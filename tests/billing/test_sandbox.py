"""A customer's life on a test clock, by the API alone, so that it can be lived at Stripe itself too.

By default against our stand-in. `STRIPE_TEST_KEY=sk_test_… pytest tests/billing/test_sandbox.py` runs it against a
sandbox of Stripe's; that needs the network, and prices with our lookup keys, which it makes. So far no such key was at
hand: the switch was only tried with the stand-in in Stripe's place, at an address that other tests may not reach.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import Any

import pytest
import stripe as sdk
from django.conf import LazySettings
from pytest_socket import socket_allow_hosts

from accounts.models import Workspace
from billing import gateway
from billing.catalog import find_sale, offers
from billing.models import BillingAccount
from billing.services import changes
from tests.billing.buying import live, sync
from tests.servers import Stripe

SANDBOX_KEY = os.environ.get("STRIPE_TEST_KEY", "")
DAY = 86_400

pytestmark = pytest.mark.timeout(900 if SANDBOX_KEY else 120)  # Stripe's clocks take their time to advance


class Life:
    """A workspace that is a customer on a test clock, with a card."""

    def __init__(self, api: Any, workspace: Workspace, method: str = "pm_card_visa") -> None:
        self.api, self.workspace, self.start = api, workspace, int(time.time()) - 200 * DAY
        self.clock = api.test_helpers.test_clocks.create({"frozen_time": self.start, "name": "contentopt"}).id
        wish = {"test_clock": self.clock, "payment_method": method, "metadata": {"workspace_id": str(workspace.pk)}}
        wish |= {"invoice_settings": {"default_payment_method": method}} if SANDBOX_KEY else {}
        self.customer = api.customers.create(wish).id
        BillingAccount.objects.create(workspace=workspace, customer_id=self.customer)

    def subscribe(self, key: str = "pro_monthly") -> None:
        price = self.api.prices.list({"lookup_keys": [key]}).data[0].id
        ours = {"workspace_id": str(self.workspace.pk)}
        wish = {"customer": self.customer, "items": [{"price": price}], "trial_period_days": 7, "metadata": ours}
        self.api.subscriptions.create(wish)

    def at(self, day: int) -> Workspace:
        self.api.test_helpers.test_clocks.advance(self.clock, {"frozen_time": self.start + day * DAY})
        while self.api.test_helpers.test_clocks.retrieve(self.clock).status == "advancing":
            time.sleep(2)
        return sync(self.workspace)

    def pay_by(self, method: str) -> None:
        attached = self.api.payment_methods.attach(method, {"customer": self.customer}).id
        self.api.customers.update(self.customer, {"invoice_settings": {"default_payment_method": attached}})

    def end(self) -> None:
        self.api.test_helpers.test_clocks.delete(self.clock)


@pytest.fixture
def api(request: pytest.FixtureRequest, settings: LazySettings, db: None) -> Any:
    if not SANDBOX_KEY:
        server: Stripe = request.getfixturevalue("stripe")
        return server.v1
    socket_allow_hosts(["0.0.0.0/0", "::/0"], allow_unix_socket=True)  # Stripe is not on this machine
    settings.STRIPE_API_KEY, settings.STRIPE_API_BASE = SANDBOX_KEY, ""
    gateway.set_up(offers())
    return sdk.StripeClient(SANDBOX_KEY).v1


@pytest.fixture
def life(api: Any, free_shop: Workspace) -> Iterator[Life]:
    living = Life(api, free_shop)
    yield living
    living.end()


def test_trial_first_payment_and_renewal(life: Life) -> None:
    life.subscribe()
    assert sync(life.workspace).plan_id == "pro"
    assert live(life.workspace).status == "trialing"

    assert life.at(8).plan_id == "pro"
    assert live(life.workspace).status == "active"
    life.at(45)

    paid = [charge.amount for charge in life.api.charges.list({"customer": life.customer}).data if charge.paid]
    assert paid == [2_400, 2_400]


def test_a_card_that_fails_and_one_that_pays_after_all(life: Life) -> None:
    life.subscribe()
    life.pay_by("pm_card_chargeCustomerFail")
    assert life.at(9).plan_id == "pro"
    assert live(life.workspace).status == "past_due"

    life.pay_by("pm_card_visa")
    life.api.invoices.pay(life.api.invoices.list({"customer": life.customer, "status": "open"}).data[0].id)

    assert (sync(life.workspace).standing, live(life.workspace).status) == ("good", "active")


def test_more_at_once_and_less_at_the_end_of_the_period(life: Life) -> None:
    life.subscribe()
    life.at(8)
    enterprise, pro = find_sale("enterprise", "month"), find_sale("pro", "month")
    assert enterprise
    assert pro

    changes.change_plan(workspace=life.workspace, sale=enterprise, at=None, intent_id=f"up {life.customer}")
    assert sync(life.workspace).plan_id == "enterprise"
    changes.change_plan(workspace=life.workspace, sale=pro, at=None, intent_id=f"down {life.customer}")
    assert sync(life.workspace).plan_id == "enterprise"

    assert life.at(45).plan_id == "pro"


def test_cancelled_refunded_and_over(life: Life) -> None:
    life.subscribe()
    life.at(8)
    changes.end_or_keep(workspace=life.workspace, ends=True)
    charge = life.api.charges.list({"customer": life.customer}).data[0]
    life.api.refunds.create({"charge": charge.id})

    assert (sync(life.workspace).plan_id, sync(life.workspace).standing) == ("pro", "frozen")
    over = life.at(45)
    assert (over.plan_id, over.standing) == ("free", "good")
