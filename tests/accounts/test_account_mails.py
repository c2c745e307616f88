"""What allauth mails for us is in the product's words, whatever of it can be sent."""

from __future__ import annotations

import re
from pathlib import Path

import allauth
import pytest
from allauth.account import app_settings
from allauth.account.models import EmailAddress
from django.conf import settings
from django.core import mail
from django.template.loader import get_template
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tests.accounts.test_factors import PASSWORD, code_of, reauthenticate
from tests.accounts.test_sign_in import sign_up
from tests.conftest import SignIn

THEIRS = Path(allauth.__file__).parent / "templates"
OURS = settings.BASE_DIR / "templates"
NEW_PASSWORD = "another long pass phrase"
NEVER_SENT = {
    "account/email/email_confirm": "allauth sends it nowhere",
    "account/email/login_code": "ACCOUNT_LOGIN_BY_CODE_ENABLED is off",
    "account/email/password_reset_code": "ACCOUNT_PASSWORD_RESET_BY_CODE_ENABLED is off",
}
PARTS = sorted(
    str(path.relative_to(THEIRS))
    for app in ("account", "mfa", "usersessions")
    for path in THEIRS.glob(f"{app}/email/*")
)


def prefix(part: str) -> str:
    return re.sub(r"_(subject|message)\.\w+$", "", part)


def told() -> list[tuple[str, list[str]]]:
    """What was mailed since the last look, and to whom."""
    found = [(str(message.subject), message.to) for message in mail.outbox]
    for message in mail.outbox:
        assert str(message.body).endswith("\nContentOpt")
        assert not re.search("example.com|Hello from|You are receiving|&#|&quot;", str(message.body))
    mail.outbox.clear()
    return found


@pytest.mark.parametrize("part", [part for part in PARTS if prefix(part) not in NEVER_SENT])
def test_every_mail_that_can_be_sent_is_ours(part: str) -> None:
    assert Path(get_template(part).template.origin.name).is_relative_to(OURS)  # type: ignore[attr-defined]


def test_what_is_said_to_be_sent_never_exists() -> None:
    assert set(NEVER_SENT) <= {prefix(part) for part in PARTS}
    assert not app_settings.LOGIN_BY_CODE_ENABLED
    assert not app_settings.PASSWORD_RESET_BY_CODE_ENABLED


@pytest.mark.django_db
def test_signing_up_asks_to_confirm_the_address() -> None:
    sign_up(Client(), "mia@alder-goods.co.uk")
    assert "/accounts/confirm-email/" in str(mail.outbox[0].body)
    assert told() == [("Confirm your address for ContentOpt", ["mia@alder-goods.co.uk"])]


@pytest.mark.django_db
def test_a_forgotten_password_is_set_by_mail_and_that_is_told(alice: User) -> None:
    client = Client()
    client.post(reverse("account_reset_password"), {"email": alice.email})
    link = re.search(r"/accounts/password/reset/key/\S+", str(mail.outbox[0].body))
    assert link
    assert told() == [("Set a new password for ContentOpt", [alice.email])]

    form = client.get(link[0]).headers["Location"]
    client.post(form, {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})

    assert reverse("account_reset_password") in str(mail.outbox[0].body)
    assert told() == [("Your ContentOpt account has a new password", [alice.email])]


@pytest.mark.django_db
def test_who_has_no_account_is_told_so_by_mail_alone() -> None:
    Client().post(reverse("account_reset_password"), {"email": "nobody@alder-goods.example"})
    assert told() == [("There is no ContentOpt account for this address", ["nobody@alder-goods.example"])]


@pytest.mark.django_db
def test_a_changed_password_is_told(alice: User, sign_in: SignIn) -> None:
    passwords = {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    sign_in(alice).post(reverse("account_change_password"), passwords)
    assert told() == [("The password of your ContentOpt account was changed", [alice.email])]


@pytest.mark.django_db
def test_a_first_password_is_told(alice: User, sign_in: SignIn) -> None:
    alice.set_unusable_password()
    alice.save()
    passwords = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    sign_in(alice).post(reverse("account_set_password"), passwords)
    assert told() == [("Your ContentOpt account has a password now", [alice.email])]


@pytest.mark.django_db
def test_addresses_that_come_go_and_change_places_are_told(alice: User, sign_in: SignIn) -> None:
    EmailAddress.objects.create(user=alice, email=alice.email, primary=True, verified=True)
    client, other = sign_in(alice), "alice@birch-lamps.example"
    reauthenticate(client)
    address = reverse("account_email")

    client.post(address, {"action_add": "", "email": other})
    assert told() == [("Confirm your address for ContentOpt", [other])]

    EmailAddress.objects.filter(email=other).update(verified=True)
    client.post(address, {"action_primary": "", "email": other})
    assert f"From now on {other} signs in" in str(mail.outbox[0].body)
    assert told() == [("Another address signs in to your ContentOpt account", [alice.email])]

    client.post(address, {"action_remove": "", "email": alice.email})
    assert told() == [("An address was removed from your ContentOpt account", [other])]


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_factors_that_come_and_go_are_told(alice: User, sign_in: SignIn) -> None:
    client = sign_in(alice)
    reauthenticate(client)
    secret = client.get(reverse("mfa_activate_totp")).context["form"].secret
    client.post(reverse("mfa_activate_totp"), {"code": code_of(secret)})
    assert ("An authenticator app was set up for your ContentOpt account", [alice.email]) in told()

    client.post(reverse("mfa_generate_recovery_codes"))
    assert told() == [("Your ContentOpt account has new recovery codes", [alice.email])]

    client.post(reverse("mfa_deactivate_totp"))
    assert told() == [("The authenticator app of your ContentOpt account was removed", [alice.email])]
