"""Stripe's doorbell, really signed, over HTTP."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from django.test import Client

from accounts.models import Workspace
from billing.models import BillingEvent
from billing.receiving import process_event
from contentopt.jobs import JobState
from tests.billing.buying import account_of, begin, buy, end_trial, live
from tests.servers import WEBHOOK_SECRET, Stripe, sign

EVENT: dict[str, Any] = {
    "id": "evt_1",
    "object": "event",
    "type": "customer.subscription.updated",
    "api_version": "2026-10-28.endive",
    "livemode": False,
    "data": {"object": {"id": "sub_1", "object": "subscription", "customer": "cus_1"}},
}
THIN: dict[str, Any] = {
    "id": "evt_1",
    "object": "v2.core.event",
    "type": "v1.customer.subscription.updated",
    "livemode": False,
    "related_object": {"id": "sub_1", "type": "subscription", "url": "/v1/subscriptions/sub_1"},
}


def ring(body: bytes, signature: str) -> int:
    call = Client(raise_request_exception=False).post
    headers = {"Stripe-Signature": signature} if signature else {}
    return int(call("/stripe/webhook", body, content_type="application/json", headers=headers).status_code)


def deliver(event: dict[str, Any]) -> int:
    body = json.dumps(event).encode()
    return ring(body, sign(body))


def answer_all() -> None:
    for event in BillingEvent.objects.filter(state=JobState.QUEUED).order_by("pk"):
        process_event(event.pk)


@pytest.mark.django_db
@pytest.mark.parametrize("event", [EVENT, THIN], ids=["full", "thin"])
def test_an_event_is_written_down_once(event: dict[str, Any]) -> None:
    assert [deliver(event), deliver(event)] == [200, 200]

    row = BillingEvent.objects.get()
    assert (row.event_id, row.object_id, row.state) == ("evt_1", "sub_1", "queued")
    assert json.loads(row.body) == event


@pytest.mark.django_db
def test_what_stripe_did_not_sign_is_refused() -> None:
    body, now = json.dumps(EVENT).encode(), int(time.time())
    signatures = {
        "no header": "",
        "another secret": sign(body, "whsec_of_somebody_else"),
        "too old": sign(body, at=now - 301),
        "too far ahead": sign(body, at=now + 320),
        "of 1970": sign(body, at=0),
        "no time": sign(body).partition(",")[2],
        "not ASCII": f"t={now},v1=é",
        "no number": "t=now,v1=abc",
    }

    assert {name: ring(body, signature) for name, signature in signatures.items()} == dict.fromkeys(signatures, 400)
    assert ring(b"\xff\xfe", sign(body)) == 400
    assert ring(b"", sign(b"")) == 400
    assert ring(b"[1]", sign(b"[1]")) == 400
    assert not BillingEvent.objects.exists()


@pytest.mark.django_db
def test_while_secrets_are_rotated_either_will_do() -> None:
    body = json.dumps(EVENT).encode()
    assert ring(body, sign(body, "whsec_the_new_one", WEBHOOK_SECRET)) == 200
    assert ring(body, sign(body, at=int(time.time()) - 290)) == 200


@pytest.mark.django_db
def test_an_event_of_the_live_world_is_not_taken_in_test() -> None:
    assert deliver(EVENT | {"livemode": True}) == 200
    assert not BillingEvent.objects.exists()


@pytest.mark.django_db
def test_an_unknown_kind_of_event_is_taken_and_done_with(stripe: Stripe) -> None:
    assert deliver(EVENT | {"type": "invented.later", "data": {"object": {"object": "invention"}}}) == 200
    answer_all()
    assert BillingEvent.objects.get().state == "done"


@pytest.mark.django_db
def test_an_event_makes_the_plan_what_stripe_says(stripe: Stripe, free_shop: Workspace) -> None:
    stripe.pay(begin(free_shop))
    completed = next(event for event in stripe.events() if event["type"] == "checkout.session.completed")

    deliver(completed)
    answer_all()

    free_shop.refresh_from_db()
    assert free_shop.plan_id == "pro"


@pytest.mark.django_db
def test_an_old_event_does_not_bring_an_old_plan_back(stripe: Stripe, free_shop: Workspace) -> None:
    subscription = buy(stripe, free_shop)
    stripe.v1.subscriptions.cancel(subscription.subscription_id)

    for event in reversed(stripe.events()):
        deliver(event)
    answer_all()

    free_shop.refresh_from_db()
    assert free_shop.plan_id == "free"


@pytest.mark.django_db
def test_a_thin_event_finds_its_customer(stripe: Stripe, free_shop: Workspace) -> None:
    stripe.pay(begin(free_shop))
    identifier = stripe.v1.subscriptions.list({}).data[0].id
    url = f"/v1/subscriptions/{identifier}"

    deliver(THIN | {"related_object": {"id": identifier, "type": "subscription", "url": url}})
    answer_all()

    free_shop.refresh_from_db()
    assert free_shop.plan_id == "pro"


@pytest.mark.django_db
def test_many_events_cost_one_reading(stripe: Stripe, free_shop: Workspace) -> None:
    end_trial(stripe, buy(stripe, free_shop))
    for event in stripe.events():
        deliver(event)
    before = len(stripe.tell("requests"))

    answer_all()

    asked = [request["path"] for request in stripe.tell("requests")[before:]]
    assert asked.count("/v1/subscriptions") == 1
    assert not BillingEvent.objects.exclude(state="done").exists()


@pytest.mark.django_db
def test_while_stripe_is_away_events_wait_and_use_no_attempt_up(stripe: Stripe, free_shop: Workspace) -> None:
    end_trial(stripe, buy(stripe, free_shop))
    deliver(stripe.events()[-1])
    stripe.tell("faults", api=[{"status": 500, "times": 100}])

    answer_all()

    row = BillingEvent.objects.get()
    assert (row.state, row.attempt) == ("queued", 0)
    assert "does not answer" in row.failure
    assert live(free_shop).status == "trialing"

    stripe.tell("faults", api=[])
    BillingEvent.objects.update(next_run_at=row.created_at)
    answer_all()
    assert live(free_shop).status == "active"


@pytest.mark.django_db
def test_the_lease_keeps_readings_apart(stripe: Stripe, free_shop: Workspace) -> None:
    end_trial(stripe, buy(stripe, free_shop))
    account = account_of(free_shop)
    deliver(stripe.events()[-1])
    rows = type(account).objects.in_workspace(free_shop)
    rows.update(lease_until="2099-01-01T00:00:00Z")

    answer_all()

    row = BillingEvent.objects.get()
    assert (row.state, row.attempt) == ("queued", 0)
    rows.update(lease_until=None)
    BillingEvent.objects.update(next_run_at=row.created_at)
    answer_all()
    assert live(free_shop).status == "active"
