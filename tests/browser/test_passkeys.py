"""A passkey from end to end, with Chromium's own virtual authenticator."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_main_job import PASSWORD, sign_up
from tests.races.product import Product

pytestmark = [pytest.mark.browser, pytest.mark.processes, pytest.mark.xdist_group("product")]

EMAIL = "otto@birch-lamps.example"


def confirmation_link(product: Product) -> str:
    mails = "".join(path.read_text() for path in sorted((product.local / "mail").iterdir()))
    link = re.search(rf"To: {EMAIL}.+?(http\S+/accounts/confirm-email/\S+)", mails, re.DOTALL)
    assert link
    return link[1]


def test_a_passkey_is_added_signs_in_by_itself_and_is_the_second_step(page: Page, product: Product) -> None:
    named = product.url.replace("127.0.0.1", "localhost")  # a passkey belongs to a name
    devices = page.context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": options})

    def sign_out() -> None:
        page.context.clear_cookies()
        page.goto(f"{named}/accounts/login/")

    def sign_in_with_password() -> None:
        page.get_by_label("Email").fill(EMAIL)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in", exact=True).click()

    sign_up(page, EMAIL)
    page.goto(confirmation_link(product))
    page.get_by_role("button", name="Yes, confirm it").click()
    sign_out()
    sign_in_with_password()
    page.wait_for_url(re.compile("/w/"))

    page.goto(f"{named}/accounts/factors/webauthn/add/")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()
    page.get_by_label("Name, so that you know it again").fill("My laptop")
    page.get_by_role("button", name="Add it").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    page.goto(f"{named}/accounts/factors/webauthn/")
    expect(page.get_by_role("row", name=re.compile("My laptop Signing in by itself"))).to_be_visible()

    sign_out()
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url(re.compile("/w/birch-lamps/"))

    sign_out()
    sign_in_with_password()
    expect(page.get_by_role("heading", name="One more step")).to_be_visible()
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url(re.compile("/w/birch-lamps/"))
