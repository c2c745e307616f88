"""What an owner does with a running subscription, and what the world does to it."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta
from urllib.parse import urlsplit

import httpx2
import pytest
from django.core import mail
from django.db.models.functions import Now
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Membership, Notice, Role, User, Workspace
from billing import gateway
from billing.catalog import find_sale, offers
from billing.models import BillingAccount, Subscription
from billing.seats import follow_seats
from billing.services import changes
from billing.services import checkout as buying
from billing.sync import end_of_grace, sync_account
from tests.billing.buying import account_of, begin, buy, end_trial, live, sync
from tests.billing.test_webhooks import answer_all, deliver
from tests.conftest import SignIn
from tests.servers import Stripe

CHARGE_FAILS = "4000000000000341"


def paying(stripe: Stripe, workspace: Workspace, plan: str = "pro") -> Workspace:
    """A workspace whose trial is over and paid."""
    end_trial(stripe, buy(stripe, workspace, plan))
    return sync(workspace)


def change(workspace: Workspace, plan: str, interval: str = "month", intent_id: str = "1") -> None:
    sale = find_sale(plan, interval)
    assert sale
    changes.change_plan(workspace=workspace, sale=sale, at=None, intent_id=intent_id)
    workspace.refresh_from_db()


def test_more_is_previewed_then_paid_then_granted(stripe: Stripe, free_shop: Workspace) -> None:
    paying(stripe, free_shop)
    sale = find_sale("enterprise", "month")
    assert sale

    preview = changes.preview_change(workspace=free_shop, sale=sale).preview
    assert preview
    assert preview.due_cents == sum(line.amount_cents for line in preview.lines) > 27_000
    changes.change_plan(workspace=free_shop, sale=sale, at=preview.at, intent_id="1")

    free_shop.refresh_from_db()
    assert free_shop.plan_id == "enterprise"
    assert stripe.v1.charges.list({}).data[0].amount == preview.due_cents


def test_pressing_twice_is_one_change(stripe: Stripe, free_shop: Workspace) -> None:
    paying(stripe, free_shop)
    sale = find_sale("enterprise", "month")
    assert sale
    wanted = changes._wanted(live(free_shop), sale)

    for _ in range(2):
        gateway.change_now(live(free_shop).subscription_id, wanted, intent_id="same", at=None)

    assert len(stripe.v1.charges.list({}).data) == 2  # the first month, and one difference


def test_more_is_not_granted_while_its_payment_fails(stripe: Stripe, free_shop: Workspace) -> None:
    paying(stripe, free_shop)
    customer = account_of(free_shop).customer_id
    stripe.tell("faults", decline={customer: "insufficient_funds"})

    change(free_shop, "enterprise")

    assert free_shop.plan_id == "pro"
    assert live(free_shop).pending_plan_id == "enterprise"
    assert live(free_shop).status == "active"

    stripe.tell("faults", decline={})
    stripe.v1.invoices.pay(stripe.v1.invoices.list({"status": "open"}).data[0].id)
    assert sync(free_shop).plan_id == "enterprise"


def test_less_begins_when_what_is_paid_for_is_over(stripe: Stripe, free_shop: Workspace) -> None:
    paying(stripe, free_shop, "enterprise")

    change(free_shop, "pro")

    assert free_shop.plan_id == "enterprise"
    assert live(free_shop).next_plan_id == "pro"
    stripe.tell("advance", seconds=32 * 86_400)
    assert sync(free_shop).plan_id == "pro"
    assert [charge.amount for charge in stripe.v1.charges.list({}).data] == [2_400, 29_900]


def test_a_downgrade_can_be_taken_back(stripe: Stripe, free_shop: Workspace) -> None:
    paying(stripe, free_shop, "enterprise")
    change(free_shop, "pro")

    changes.end_or_keep(workspace=free_shop, ends=False)

    assert live(free_shop).next_plan_id is None
    stripe.tell("advance", seconds=32 * 86_400)
    assert sync(free_shop).plan_id == "enterprise"


def test_ending_keeps_what_is_paid_for(stripe: Stripe, free_shop: Workspace) -> None:
    paying(stripe, free_shop)

    assert changes.end_or_keep(workspace=free_shop, ends=True).cancel_at
    assert sync(free_shop).plan_id == "pro"

    stripe.tell("advance", seconds=32 * 86_400)
    assert sync(free_shop).plan_id == "free"
    assert len(stripe.v1.charges.list({}).data) == 1


def test_a_trial_that_is_cancelled_costs_nothing(stripe: Stripe, free_shop: Workspace) -> None:
    buy(stripe, free_shop)
    changes.end_or_keep(workspace=free_shop, ends=True)

    stripe.tell("advance", seconds=8 * 86_400)

    assert sync(free_shop).plan_id == "free"
    assert stripe.v1.charges.list({}).data == []


def test_a_second_trial_is_not_to_be_had(stripe: Stripe, free_shop: Workspace) -> None:
    stripe.v1.subscriptions.cancel(buy(stripe, free_shop).subscription_id)
    sync(free_shop)

    stripe.pay(begin(free_shop))

    assert (sync(free_shop).plan_id, live(free_shop).status) == ("pro", "active")


def test_a_failed_payment_is_mailed_once_with_where_to_pay(stripe: Stripe, free_shop: Workspace) -> None:
    buy(stripe, free_shop, card=CHARGE_FAILS)
    end_trial(stripe, live(free_shop))
    failed = next(event for event in stripe.events() if event["type"] == "invoice.payment_failed")

    for event_id in ("evt_a", "evt_b"):
        deliver(failed | {"id": event_id})
    answer_all()

    notice = Notice.objects.in_workspace(free_shop).get()
    assert "could not collect $24" in notice.details["words"]
    assert notice.details["url"].startswith(f"{stripe.url}/i/")
    assert live(free_shop).status == "past_due"
    assert mail.outbox == []


@pytest.mark.parametrize(("days_ago", "standing"), [(12, "overdue"), (30, "read_only")])
def test_past_due_keeps_the_plan_for_a_week_and_then_only_reading(
    stripe: Stripe, free_shop: Workspace, days_ago: int, standing: str
) -> None:
    stripe.reset(days_ago=days_ago)
    gateway.set_up(offers())
    buy(stripe, free_shop, card=CHARGE_FAILS)
    stripe.tell("advance", seconds=8 * 86_400)

    synced = sync(free_shop)

    assert live(free_shop).status == "past_due"
    assert (synced.plan_id, synced.standing) == ("pro", standing)


def test_the_end_of_grace_needs_no_event(stripe: Stripe, free_shop: Workspace) -> None:
    stripe.reset(days_ago=12)
    gateway.set_up(offers())
    buy(stripe, free_shop, card=CHARGE_FAILS)
    stripe.tell("advance", seconds=8 * 86_400)
    sync(free_shop)
    Subscription.objects.in_workspace(free_shop).update(grace_until=timezone.now())

    assert (end_of_grace(), end_of_grace()) == (1, 0)

    free_shop.refresh_from_db()
    assert (free_shop.plan_id, free_shop.standing) == ("pro", "read_only")


def test_a_dispute_freezes_spending_until_it_is_won(stripe: Stripe, free_shop: Workspace) -> None:
    paying(stripe, free_shop)
    dispute = stripe.tell("dispute", charge=stripe.v1.charges.list({}).data[0].id)
    assert sync(free_shop).standing == "frozen"

    stripe.tell("dispute", dispute=dispute["id"], status="won")
    assert sync(free_shop).standing == "good"


def test_a_refund_freezes_spending_and_keeps_the_plan(stripe: Stripe, free_shop: Workspace) -> None:
    paying(stripe, free_shop)
    stripe.v1.refunds.create({"charge": stripe.v1.charges.list({}).data[0].id})

    assert (sync(free_shop).plan_id, sync(free_shop).standing) == ("pro", "frozen")


def test_what_nobody_knows_changes_nothing_and_staff_are_told(stripe: Stripe, free_shop: Workspace) -> None:
    paying(stripe, free_shop)
    identifier = live(free_shop).subscription_id
    stripe.tell("set", id=identifier, status="trialing")  # known, so that it is not refused
    sync(free_shop)
    stripe.v1.prices.update(live_price(stripe, identifier), {"lookup_key": "renamed"})

    assert sync(free_shop).plan_id == "pro"
    topics = Notice.objects.across_workspaces().values_list("topic", flat=True)
    assert [topic for topic in topics if topic.startswith("billing/undecidable/")]


def live_price(stripe: Stripe, subscription_id: str) -> str:
    return str(stripe.v1.subscriptions.retrieve(subscription_id)["items"].data[0].price.id)


def test_a_customer_deleted_at_stripe_is_on_the_free_plan(stripe: Stripe, free_shop: Workspace) -> None:
    paying(stripe, free_shop)
    stripe.v1.customers.delete(account_of(free_shop).customer_id)

    assert sync(free_shop).plan_id == "free"


def test_people_beyond_the_plan_are_billed_by_the_head(stripe: Stripe, free_shop: Workspace) -> None:
    paying(stripe, free_shop)
    people = [User.objects.create_user(f"p{n}@alder-goods.example") for n in range(6)]
    for person in people:
        Membership.objects.create(workspace=free_shop, user=person, role=Role.EDITOR)

    assert (follow_seats(), follow_seats()) == (1, 0)
    assert live(free_shop).seats == 2  # seven, of five

    people[0].delete()
    follow_seats()
    assert live(free_shop).seats == 1
    people[1].delete()
    follow_seats()
    assert live(free_shop).seats == 0


def test_people_who_are_sold_by_the_head_are_never_too_many_and_in_every_price(
    stripe: Stripe, free_shop: Workspace, alice: User, sign_in: SignIn
) -> None:
    paying(stripe, free_shop)
    for number in range(6):
        person = User.objects.create_user(f"p{number}@alder-goods.example")
        Membership.objects.create(workspace=free_shop, user=person, role=Role.EDITOR)
    client: Client = sign_in(alice)

    plan = client.get(reverse("plan", args=[free_shop.slug])).content.decode()
    yearly = client.get(reverse("plan_change", args=[free_shop.slug]), {"plan": "pro", "interval": "year"})

    assert "More than the plan has room for" not in plan
    assert "After that $360 a year, with 2 more people than the plan's own." in yearly.content.decode()


def test_two_subscriptions_are_one_in_the_end_and_staff_are_told(stripe: Stripe, free_shop: Workspace) -> None:
    first = buy(stripe, free_shop)
    ours = {"workspace_id": str(free_shop.pk), "checkout_intent": "another tab"}
    price = stripe.v1.prices.list({"lookup_keys": ["pro_monthly"]}).data[0].id
    wish = {"customer": account_of(free_shop).customer_id, "items": [{"price": price}], "trial_period_days": 7}
    second = stripe.v1.subscriptions.create({**wish, "metadata": ours})

    sync_account(account_of(free_shop).pk)

    assert live(free_shop).subscription_id == first.subscription_id
    ended = stripe.v1.subscriptions.retrieve(second.id)
    assert ended.status == "canceled"
    assert first.subscription_id in ended.cancellation_details.comment
    assert Notice.objects.across_workspaces().filter(topic=f"billing/second/{second.id}").count() == 1


def test_a_second_subscription_of_unknown_origin_is_left_to_a_person(stripe: Stripe, free_shop: Workspace) -> None:
    buy(stripe, free_shop)
    price = stripe.v1.prices.list({"lookup_keys": ["pro_monthly"]}).data[0].id
    wish = {"customer": account_of(free_shop).customer_id, "items": [{"price": price}], "trial_period_days": 7}
    second = stripe.v1.subscriptions.create(wish)

    sync_account(account_of(free_shop).pk)

    assert stripe.v1.subscriptions.retrieve(second.id).status == "trialing"
    assert Notice.objects.across_workspaces().filter(topic=f"billing/second/{second.id}").count() == 1


def test_a_change_shows_at_once_though_a_worker_is_reading(
    stripe: Stripe, free_shop: Workspace, alice: User, sign_in: SignIn
) -> None:
    buy(stripe, free_shop)
    accounts = BillingAccount.objects.in_workspace(free_shop)
    accounts.update(lease_token=uuid.uuid4(), lease_until=Now() + timedelta(seconds=0.5))

    page = sign_in(alice).post(reverse("plan_end", args=[free_shop.slug]), follow=True).content.decode()

    assert "Your subscription ends on" in page
    assert live(free_shop).cancel_at


def test_what_was_done_on_stripes_own_page_shows_on_coming_back(
    stripe: Stripe, free_shop: Workspace, alice: User, sign_in: SignIn
) -> None:
    subscription = buy(stripe, free_shop)
    address = buying.open_portal(workspace=free_shop)
    session = stripe.v1.subscriptions.update(subscription.subscription_id, {"cancel_at_period_end": True})
    assert session.cancel_at
    back = re.search(r"href='([^']+)'>Return", httpx2.get(address).text)
    assert back

    page = sign_in(alice).get(urlsplit(back[1]).path, follow=True).content.decode()

    assert "It ends then, and nothing is charged." in page


@pytest.mark.parametrize("action", ["plan_end", "plan_keep", "billing_portal"])
def test_pages_of_a_subscription_say_so_when_there_is_none(
    stripe: Stripe, free_shop: Workspace, alice: User, sign_in: SignIn, action: str
) -> None:
    client: Client = sign_in(alice)
    assert client.post(reverse(action, args=[free_shop.slug])).status_code == 409
