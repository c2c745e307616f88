"""Stripe does not answer: the product works, billing says so, nothing is lost, and everything converges afterwards."""

from __future__ import annotations

import time

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from accounts.models import User, Workspace
from billing import gateway
from billing.models import BillingEvent, CheckoutIntent
from billing.reconciling import reconcile
from tests.billing.buying import account_of, begin, buy, end_trial, live
from tests.billing.test_webhooks import answer_all, deliver
from tests.conftest import ApiClient, SignIn
from tests.servers import Stripe

DOWN = [{"drop": True, "times": 1_000_000}]
PRODUCT = {"product": {"title": "Linen Apron", "attributes": {"Material": "Linen"}}}


@pytest.fixture(autouse=True)
def _fuse_is_whole() -> None:
    gateway._fuse.mend()


def come_back(stripe: Stripe) -> None:
    stripe.tell("faults", api=[])
    gateway._fuse.mend()  # by itself after three seconds


def test_the_product_works_and_billing_says_what_is_the_matter(
    stripe: Stripe, free_shop: Workspace, alice: User, sign_in: SignIn, api: ApiClient
) -> None:
    buy(stripe, free_shop)
    stripe.tell("faults", api=DOWN)
    client: Client = sign_in(alice)

    described = api(free_shop).post("/api/v1/descriptions", PRODUCT, content_type="application/json")
    plan = client.get(reverse("plan", args=[free_shop.slug]))
    invoices = client.get(reverse("billing_invoices", args=[free_shop.slug]), headers={"HX-Request": "true"})
    portal = client.post(reverse("billing_portal", args=[free_shop.slug]))

    assert described.status_code == 200
    assert plan.status_code == 200
    assert "You are on Pro" in plan.content.decode()
    assert (invoices.status_code, portal.status_code) == (200, 503)  # the former is a part of the plan page
    for said in (invoices, portal):
        assert "does not answer at the moment" in said.content.decode()
    assert "Ask again" in invoices.content.decode()
    assert portal["Retry-After"]


def test_a_checkout_that_was_not_answered_is_the_same_one_later(stripe: Stripe, free_shop: Workspace) -> None:
    begin_path = {"path": "/v1/checkout/sessions", "method": "POST", "drop": True, "after": True, "times": 2}
    stripe.tell("faults", api=[begin_path])

    with pytest.raises(gateway.Unreachable):
        begin(free_shop)
    assert CheckoutIntent.objects.in_workspace(free_shop).get().session_id == ""

    come_back(stripe)
    url = begin(free_shop)
    assert [session.url for session in stripe.v1.checkout.sessions.list({}).data] == [url]


def test_what_happened_meanwhile_arrives_afterwards(stripe: Stripe, free_shop: Workspace) -> None:
    subscription = buy(stripe, free_shop)
    end_trial(stripe, subscription)
    stripe.v1.subscriptions.cancel(subscription.subscription_id)
    stripe.tell("faults", api=DOWN)

    deliver(stripe.events()[-1])  # the doorbell works, but nobody opens when we call back
    answer_all()
    reconcile()
    assert live(free_shop).status == "trialing"

    come_back(stripe)
    reconcile()
    free_shop.refresh_from_db()
    assert free_shop.plan_id == "free"
    BillingEvent.objects.update(next_run_at=BillingEvent.objects.get().created_at)
    answer_all()
    assert BillingEvent.objects.get().state == "done"


def test_no_request_waits_longer_than_ten_seconds(
    stripe: Stripe, free_shop: Workspace, alice: User, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "WEB_SECONDS", 2.0)  # of nine
    buy(stripe, free_shop)
    stripe.tell("faults", api=[{"seconds": 60, "times": 1_000_000}])
    client: Client = sign_in(alice)
    began = time.monotonic()

    refused = client.post(reverse("plan_end", args=[free_shop.slug]))

    assert refused.status_code == 503
    assert time.monotonic() - began < 20  # of sixty and more; the rest is for a busy machine
    stripe.tell("faults", api=[])


def test_many_calls_of_one_request_share_its_time(stripe: Stripe) -> None:
    with gateway.within(0), pytest.raises(gateway.Unreachable):
        gateway.price_ids(["pro_monthly"])
    gateway._fuse.mend()
    with gateway.within(60):
        assert gateway.price_ids(["pro_monthly"])


def test_after_a_failure_others_are_told_at_once(stripe: Stripe) -> None:
    stripe.tell("faults", api=DOWN)
    with pytest.raises(gateway.Unreachable):
        gateway.price_ids(["pro_monthly"])
    asked = len(stripe.tell("requests"))

    with pytest.raises(gateway.Unreachable):
        gateway.price_ids(["pro_monthly"])

    assert len(stripe.tell("requests")) == asked


def test_stripe_is_never_asked_inside_a_transaction(stripe: Stripe) -> None:
    with transaction.atomic(), pytest.raises(RuntimeError, match="inside a database transaction"):
        gateway.price_ids(["pro_monthly"])


def test_lost_events_are_found_by_the_hourly_reading(stripe: Stripe, free_shop: Workspace) -> None:
    stripe.pay(begin(free_shop))  # and the browser never comes back

    reconcile()

    free_shop.refresh_from_db()
    assert free_shop.plan_id == "pro"
    assert account_of(free_shop).synced_at
