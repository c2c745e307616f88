"""Buying as an owner does it: the plan page, the page to pay on, the portal, and the limits that follow."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_main_job import sign_up
from tests.races.product import Product, eventually

pytestmark = [pytest.mark.browser, pytest.mark.processes, pytest.mark.xdist_group("product")]

DECLINED, NEEDS_OWNER = "4000 0000 0000 0002", "4000 0027 6000 3184"


@pytest.fixture(autouse=True)
def _prices(product: Product) -> None:
    """The stand-in's prices are made while the product starts."""
    rows = product.fetch("SELECT stripe_lookup_key, stripe_yearly_lookup_key FROM accounts_plan")
    keys = [key for row in rows for key in row if key]
    assert keys
    assert eventually(lambda: len(product.stripe().v1.prices.list({"lookup_keys": keys}).data) == len(keys), 60)


def plan_of(product: Product, slug: str) -> str:
    return str(product.fetch("SELECT plan_id FROM accounts_workspace WHERE slug = %s", slug)[0][0])


def pay(page: Page, card: str) -> None:
    page.get_by_label("Card number").fill(card)
    page.get_by_role("button", name="Start trial").click()


def test_an_upgrade_a_declined_card_one_that_asks_its_owner_and_a_cancellation(page: Page, product: Product) -> None:
    sign_up(page, "nora@fern-tools.example")
    page.get_by_role("link", name="Plan", exact=True).first.click()
    expect(page.get_by_role("heading", name="You are on Free")).to_be_visible()

    page.get_by_role("button", name="Try it free: Pro, monthly").click()
    page.wait_for_url(re.compile(r"/c/pay/"))
    expect(page.get_by_text("Test payments.")).to_be_visible()

    pay(page, DECLINED)
    expect(page.get_by_role("alert")).to_have_text("Your card was declined.")
    assert plan_of(product, "fern-tools") == "free"

    pay(page, NEEDS_OWNER)
    page.get_by_role("button", name="Fail").click()
    expect(page.get_by_role("alert")).to_contain_text("unable to authenticate")
    pay(page, NEEDS_OWNER)
    page.get_by_role("button", name="Complete").click()

    expect(page.get_by_role("heading", name="You are on Pro")).to_be_visible()
    assert plan_of(product, "fern-tools") == "pro"
    expect(page.get_by_text(re.compile("Your trial runs until"))).to_be_visible()

    page.get_by_role("button", name="Card and billing details").click()
    page.get_by_role("button", name="Cancel at the end of the period").click()
    expect(page.get_by_text("Ends on")).to_be_visible()
    page.get_by_role("link", name="Return").click()
    expect(page.get_by_text("It ends then, and nothing is charged.")).to_be_visible()

    page.get_by_role("button", name="Keep Pro").click()
    expect(page.get_by_text("The first payment is taken then.")).to_be_visible()


def test_the_limits_follow_a_webhook_without_a_restart(page: Page, product: Product) -> None:
    sign_up(page, "iris@moss-tools.example")
    page.get_by_role("link", name="Plan", exact=True).first.click()
    page.get_by_role("button", name="Try it free: Pro, yearly").click()
    pay(page, "4242 4242 4242 4242")
    expect(page.get_by_role("heading", name="You are on Pro")).to_be_visible()

    stripe = product.stripe()
    customer = product.fetch(
        "SELECT customer_id FROM billing_billingaccount a JOIN accounts_workspace w ON w.id = a.workspace_id"
        " WHERE w.slug = 'moss-tools'"
    )[0][0]
    stripe.v1.subscriptions.cancel(stripe.v1.subscriptions.list({"customer": customer}).data[0].id)

    assert eventually(lambda: plan_of(product, "moss-tools") == "free", pause=0.02)
    page.reload()
    expect(page.get_by_role("heading", name="You are on Free")).to_be_visible()
