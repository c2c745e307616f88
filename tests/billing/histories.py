"""Random histories of a customer, and what Stripe's API says in the end.

The world acts through Stripe's own SDK and our own services; its events are held back and delivered by the test: in any
order, repeated, days late, some never. The oracle below reads the API by itself and shares nothing with the product.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import stripe as sdk
from django.test import Client

from accounts.models import Workspace
from billing.catalog import find_sale
from billing.models import BillingAccount
from billing.services import changes, checkout
from contentopt.errors import DomainError
from tests.servers import Stripe, sign

DAY = 86_400
PLANS = [("pro", "month"), ("pro", "year"), ("enterprise", "month"), ("enterprise", "year")]
CARDS = ["4242424242424242", "4242424242424242", "4000002760003184", "4000000000000002", "4000000000000341"]
LIVE = ("trialing", "active", "past_due", "unpaid")
PLAN_OF = {f"{plan}_{rhythm}": plan for plan in ("pro", "enterprise") for rhythm in ("monthly", "yearly")}


@dataclass
class History:
    stripe: Stripe
    workspace: Workspace
    random: random.Random
    told: int = 0  # events of the server that were looked at
    waiting: list[dict[str, Any]] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    lost: int = 0

    @property
    def customer(self) -> str:
        return BillingAccount.objects.in_workspace(self.workspace).get().customer_id or ""

    def subscriptions(self, *statuses: str) -> list[Any]:
        listed = self.stripe.v1.subscriptions.list({"customer": self.customer, "status": "all", "limit": 100})
        return [each for each in listed.data if each.status in (statuses or LIVE)]

    def any_live(self) -> Any:
        found = self.subscriptions()
        return self.random.choice(found) if found else None

    # --- What happens in the world ---

    def step(self) -> None:
        action = self.random.choices(list(ACTIONS), list(ACTIONS.values()))[0]
        try:
            action(self)
            outcome = ""
        except DomainError as error:
            outcome = f": {error.code}"
        except sdk.StripeError as error:
            outcome = f": {error.code}"
        self.steps.append(action.__name__ + outcome)

    def subscribe(self) -> None:
        sale = find_sale(*self.random.choice(PLANS))
        assert sale
        card = self.random.choice(CARDS)
        url = checkout.start_checkout(workspace=self.workspace, sale=sale)
        paid = self.stripe.pay(url, card)
        if "Is it you?" in paid.text:
            self.stripe.pay(url, card, authenticated=self.random.choice(["yes", "yes", "no"]))

    def subscribe_in_another_tab(self) -> None:
        """A page that was opened before the first was paid."""
        ours = {"workspace_id": str(self.workspace.pk), "checkout_intent": f"{self.random.getrandbits(128):032x}"}
        price = self.stripe.v1.prices.list({"lookup_keys": ["pro_monthly"]}).data[0].id
        session = self.stripe.v1.checkout.sessions.create(
            {
                "mode": "subscription",
                "customer": self.customer,
                "line_items": [{"price": price, "quantity": 1}],
                "client_reference_id": str(self.workspace.pk),
                "subscription_data": {"metadata": ours},
                "success_url": "http://shop.example/",
            }
        )
        self.stripe.pay(session.url)

    def change_plan(self) -> None:
        sale = find_sale(*self.random.choice(PLANS))
        assert sale
        changes.change_plan(workspace=self.workspace, sale=sale, at=None, intent_id=f"{self.random.getrandbits(64)}")

    def change_plan_at_stripe(self) -> None:
        if live := self.any_live():
            key = self.random.choice(list(PLAN_OF))
            price = self.stripe.v1.prices.list({"lookup_keys": [key]}).data[0].id
            item = live["items"].data[0].id
            self.stripe.v1.subscriptions.update(live.id, {"items": [{"id": item, "price": price}]})

    def change_seats(self) -> None:
        if live := self.any_live():
            price = self.stripe.v1.prices.list({"lookup_keys": ["pro_seat"]}).data[0].id
            rows = [item for item in live["items"].data if item.price.lookup_key == "pro_seat"]
            seats = self.random.randint(1, 4)
            item = {"id": rows[0].id, "quantity": seats} if rows else {"price": price, "quantity": seats}
            self.stripe.v1.subscriptions.update(live.id, {"items": [item]})

    def fail(self) -> None:
        self.stripe.tell("faults", decline={self.customer: "insufficient_funds"})

    def recover(self) -> None:
        self.stripe.tell("faults", decline={})
        for invoice in self.stripe.v1.invoices.list({"customer": self.customer, "status": "open"}).data:
            self.stripe.v1.invoices.pay(invoice.id)

    def end(self) -> None:
        changes.end_or_keep(workspace=self.workspace, ends=True)

    def keep(self) -> None:
        changes.end_or_keep(workspace=self.workspace, ends=False)

    def cancel(self) -> None:
        if live := self.any_live():
            self.stripe.v1.subscriptions.cancel(live.id)

    def pause_or_go_on(self) -> None:
        if live := self.any_live():
            pause: Any = "" if live.pause_collection else {"behavior": "void"}
            self.stripe.v1.subscriptions.update(live.id, {"pause_collection": pause})

    def end_trial(self) -> None:
        for each in self.subscriptions("trialing"):
            self.stripe.v1.subscriptions.update(each.id, {"trial_end": "now"})

    def charges(self) -> list[Any]:
        return [each for each in self.stripe.v1.charges.list({"customer": self.customer}).data if each.paid]

    def refund(self) -> None:
        if charges := self.charges():
            self.stripe.v1.refunds.create({"charge": self.random.choice(charges).id})

    def dispute(self) -> None:
        if charges := [each for each in self.charges() if not each.disputed]:
            self.stripe.tell("dispute", charge=self.random.choice(charges).id)

    def settle_dispute(self) -> None:
        for dispute in self.stripe.v1.disputes.list({}).data:
            if dispute.status == "needs_response":
                self.stripe.tell("dispute", dispute=dispute.id, status=self.random.choice(["won", "won", "lost"]))

    def let_days_pass(self) -> None:
        self.stripe.tell("advance", seconds=self.random.choice([1, 2, 8, 31]) * DAY)

    # --- What is heard of it ---

    def listen(self) -> None:
        """Events since the last time join those that wait to be delivered."""
        events = self.stripe.events()
        self.waiting += events[self.told :]
        self.told = len(events)

    def lose(self, share: float) -> None:
        kept = [event for event in self.waiting if self.random.random() >= share]
        self.lost += len(self.waiting) - len(kept)
        self.waiting = kept

    def deliver(self, count: int) -> int:
        """So many of those that wait, in any order, some twice. What is not taken waits on. How many were taken."""
        self.random.shuffle(self.waiting)
        chosen, self.waiting = self.waiting[:count], self.waiting[count:]
        taken = 0
        for event in chosen:
            for _ in range(self.random.choice([1, 1, 2])):
                is_taken = ring(event) == 200
            taken += is_taken
            if not is_taken:
                self.waiting.append(event)
        return taken


ACTIONS: dict[Callable[[History], None], float] = {
    History.subscribe: 4,
    History.subscribe_in_another_tab: 1,
    History.change_plan: 3,
    History.change_plan_at_stripe: 1,
    History.change_seats: 2,
    History.fail: 2,
    History.recover: 2,
    History.end: 1,
    History.keep: 1,
    History.cancel: 1,
    History.pause_or_go_on: 0.5,
    History.end_trial: 2,
    History.refund: 1,
    History.dispute: 1,
    History.settle_dispute: 1,
    History.let_days_pass: 4,
}


def ring(event: dict[str, Any]) -> int:
    body = json.dumps(event).encode()
    client = Client(raise_request_exception=False, headers={"Stripe-Signature": sign(body)})
    return int(client.post("/stripe/webhook", body, content_type="application/json").status_code)


# --- The oracle -------------------------------------------------------------------------------------------------------


def entitled(stripe: Stripe, customer: str) -> tuple[str, str, bool]:
    """(plan, standing, is trial) by the API's state alone. The history has ended, so at most one is live."""
    api = stripe.v1
    found = api.subscriptions.list({"customer": customer, "status": "all", "limit": 100}).data
    live = [each for each in found if each.status in LIVE]
    assert len(live) <= 1, f"{len(live)} subscriptions are live"
    if not live:
        return "free", "good", False
    only = live[0]
    plan = next(PLAN_OF[key] for item in only["items"].data if (key := item.price.lookup_key) in PLAN_OF)
    charges = [each for each in api.charges.list({"customer": customer, "limit": 100}).data if each.paid]
    disputes = [each for charge in charges for each in api.disputes.list({"charge": charge.id}).data]
    standing = "overdue" if only.status == "past_due" else "good"
    if any(each.status in ("needs_response", "lost") for each in disputes) or (charges and charges[0].refunded):
        standing = "frozen"
    if only.status == "unpaid" or only.pause_collection or (only.status == "past_due" and _is_late(api, only)):
        standing = "read_only"
    return plan, standing, only.status == "trialing"


def _is_late(api: Any, subscription: Any) -> bool:
    invoice = api.invoices.retrieve(subscription.latest_invoice)
    if invoice.status != "open":
        return False
    owed_since = datetime.fromtimestamp(invoice.status_transitions.finalized_at, UTC)
    return datetime.now(UTC) >= owed_since + timedelta(days=7)
