from __future__ import annotations

import pytest
from django.conf import LazySettings
from django.test import Client
from django.urls import reverse

from accounts.models import Plan, User, Workspace
from billing import gateway
from billing.catalog import offers
from billing.models import CheckoutIntent
from contentopt.errors import Conflict
from tests.billing.buying import begin, buy, end_trial, live, sync
from tests.conftest import SignIn
from tests.servers import Stripe

DECLINED, NEEDS_OWNER, CHARGE_FAILS = "4000000000000002", "4000002760003184", "4000000000000341"


def test_buying_starts_a_trial_that_costs_nothing(stripe: Stripe, free_shop: Workspace) -> None:
    subscription = buy(stripe, free_shop)

    assert subscription.status == "trialing"
    assert (free_shop.plan_id, free_shop.standing) == ("pro", "good")
    assert free_shop.billing_cap_nanos == 2_000_000_000
    assert stripe.v1.charges.list({}).data == []


def test_the_trial_ends_in_a_paid_plan(stripe: Stripe, free_shop: Workspace) -> None:
    end_trial(stripe, buy(stripe, free_shop))

    synced = sync(free_shop)

    assert live(free_shop).status == "active"
    assert (synced.plan_id, synced.billing_cap_nanos) == ("pro", None)
    assert [charge.amount for charge in stripe.v1.charges.list({}).data] == [2_400]


def test_a_declined_card_buys_nothing(stripe: Stripe, free_shop: Workspace) -> None:
    url = begin(free_shop)

    refused = stripe.pay(url, DECLINED)

    assert "Your card was declined" in refused.text
    assert sync(free_shop).plan_id == "free"
    assert stripe.pay(url).status_code == 303  # the page is still there for another card


def test_a_card_that_asks_its_owner_buys_after_the_answer(stripe: Stripe, free_shop: Workspace) -> None:
    url = begin(free_shop)

    asked = stripe.pay(url, NEEDS_OWNER)
    assert "Is it you?" in asked.text
    assert sync(free_shop).plan_id == "free"

    assert stripe.pay(url, NEEDS_OWNER, authenticated="yes").status_code == 303
    assert sync(free_shop).plan_id == "pro"


def test_asking_twice_gives_the_same_page(stripe: Stripe, free_shop: Workspace) -> None:
    assert begin(free_shop) == begin(free_shop)
    assert len(stripe.v1.checkout.sessions.list({}).data) == 1


def test_another_plan_gives_up_the_first_page(stripe: Stripe, free_shop: Workspace) -> None:
    first, second = begin(free_shop), begin(free_shop, "enterprise")

    assert first != second
    assert "This checkout is over" in stripe.pay(first).text
    assert CheckoutIntent.objects.in_workspace(free_shop).filter(state="open").count() == 1


def test_who_has_a_subscription_cannot_buy_a_second(stripe: Stripe, free_shop: Workspace) -> None:
    buy(stripe, free_shop)

    with pytest.raises(Conflict):
        begin(free_shop, "enterprise")


def test_the_page_after_paying_believes_stripe_and_not_its_address(
    stripe: Stripe, free_shop: Workspace, alice: User, other_shop: Workspace, charlie: User, sign_in: SignIn
) -> None:
    stripe.pay(begin(free_shop))
    session = stripe.v1.checkout.sessions.list({}).data[0].id
    begin(other_shop)

    stolen = sign_in(charlie).get(reverse("checkout_return", args=[other_shop.slug]), {"session": session})
    own = sign_in(alice).get(reverse("checkout_return", args=[free_shop.slug]), {"session": session})

    assert stolen.status_code == 404
    other_shop.refresh_from_db()
    assert other_shop.plan_id == "internal"
    assert own.status_code == 302
    free_shop.refresh_from_db()
    assert free_shop.plan_id == "pro"


def test_an_owner_buys_on_the_plan_page(stripe: Stripe, free_shop: Workspace, alice: User, sign_in: SignIn) -> None:
    client: Client = sign_in(alice)
    page = client.get(reverse("plan", args=[free_shop.slug]))
    assert "Try it free: Pro, monthly" in page.content.decode()

    sent = client.post(reverse("checkout", args=[free_shop.slug]), {"plan": "pro", "interval": "year"})

    assert sent.status_code == 302
    assert sent["Location"].startswith(f"{stripe.url}/c/pay/")


def test_who_is_quicker_than_the_set_up_of_prices_is_asked_to_wait(
    stripe: Stripe, free_shop: Workspace, alice: User, sign_in: SignIn
) -> None:
    stripe.reset()
    client: Client = sign_in(alice)
    wish = {"plan": "pro", "interval": "month"}

    early = client.post(reverse("checkout", args=[free_shop.slug]), wish)
    gateway.set_up(offers())
    later = client.post(reverse("checkout", args=[free_shop.slug]), wish)

    assert (early.status_code, early["Retry-After"]) == (503, "10")
    assert "its price is still being set up" in early.content.decode()
    assert later.status_code == 302


@pytest.mark.parametrize(
    ("days", "words", "button"),
    [(14, "14 days free on any of them", "Try it free"), (0, "Paid by card", "Buy")],
)
def test_plan_page_says_how_long_it_may_be_tried(
    stripe: Stripe,
    free_shop: Workspace,
    alice: User,
    sign_in: SignIn,
    settings: LazySettings,
    days: int,
    words: str,
    button: str,
) -> None:
    settings.TRIAL_DAYS = days

    shown = sign_in(alice).get(reverse("plan", args=[free_shop.slug])).content.decode()

    assert words in shown
    assert f">{button}</button>" in shown


def test_cards_of_plans_say_each_thing_once(client: Client, db: None) -> None:
    Plan.objects.create(slug="bespoke", name="Bespoke", position=4, features=["By hand"])

    shown = client.get(reverse("pricing")).content.decode()

    pro, enterprise, bespoke = shown.partition('<h2 id="comparison"')[0].split("<article")[2:5]
    assert pro.count("people") == 1
    assert ("No limit on people" in enterprise, enterprise.count("people")) == (True, 1)
    assert enterprise.count("roducts") == 1
    assert "Talk to us" in bespoke
    assert shown.count("Talk to us") == 2  # also where plans are compared
