"""What signing up tells of who has an account: to a network, a few answers a day, and then nothing."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Membership, User
from accounts.signing_up import signer

PASSWORD = "a long pass phrase"


@pytest.fixture(autouse=True)
def _two_at_once(settings: Any) -> None:
    settings.SIGN_UPS_AT_ONCE = 2


def sign_up(client: Client, email: str, password: str = PASSWORD) -> Any:
    return client.post(reverse("account_signup"), {"email": email, "password1": password})


def from_(address: str) -> Client:
    return Client(REMOTE_ADDR=address)


def use_up(address: str) -> None:
    for number in range(2):
        sign_up(from_(address), f"early-{number}@{address}.example")
    mail.outbox.clear()


def is_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


@pytest.mark.django_db
def test_the_first_of_a_network_work_at_once_and_the_next_by_mail() -> None:
    clients = [from_("198.51.100.7") for _ in range(3)]
    for number, client in enumerate(clients):
        sign_up(client, f"mia-{number}@alder-goods.example")
    assert [is_in(client) for client in clients] == [True, True, False]
    assert not User.objects.filter(email="mia-2@alder-goods.example").exists()

    other = from_("203.0.113.9")
    sign_up(other, "mia-3@alder-goods.example")
    assert is_in(other)


@pytest.mark.django_db
def test_then_a_known_and_an_unknown_address_look_the_same(alice: User) -> None:
    use_up("198.51.100.7")
    seen = {}
    for email in (alice.email, "nobody@alder-goods.example"):
        client = from_("198.51.100.7")
        response = sign_up(client, email)
        page = client.get(response.headers["Location"])
        session = {name: value for name, value in client.session.items() if name != "_csrftoken"}
        shown = re.sub(r'(csrfmiddlewaretoken" value=|X-CSRFToken": )"[^"]+"', "", page.content.decode())
        answer = (response.status_code, response.headers["Location"], page.status_code, shown.replace(email, "…"))
        seen[email] = (*answer, session, is_in(client))
    assert seen[alice.email] == seen["nobody@alder-goods.example"]


class CountingHasher(MD5PasswordHasher):
    """Counts what a sign-in spends its time on."""

    count = 0

    def encode(self, password: str, salt: str) -> str:
        type(self).count += 1
        return super().encode(password, salt)


def work_of(client: Client, url: str, form: dict[str, str]) -> dict[str, int]:
    """A clock on a busy machine proves nothing; these are what takes time."""
    mail.outbox.clear()
    CountingHasher.count = 0
    with CaptureQueriesContext(connection) as queries:
        client.post(url, form)
    return {"queries": len(queries), "mails": len(mail.outbox), "hashes": CountingHasher.count}


@pytest.mark.django_db
def test_then_a_known_and_an_unknown_address_take_the_same_work(alice: User, settings: Any) -> None:
    settings.PASSWORD_HASHERS = [f"{__name__}.CountingHasher"]
    use_up("198.51.100.7")

    def work(email: str) -> dict[str, int]:
        form = {"email": email, "password1": PASSWORD}
        return work_of(from_("198.51.100.7"), reverse("account_signup"), form)

    assert work(alice.email) == work("nobody@alder-goods.example")


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["account_signup", "account_reset_password"])
def test_replies_come_in_whole_steps_of_time(alice: User, settings: Any, name: str) -> None:
    """What is left to do for a known address takes some milliseconds more, or less; nobody sees which."""
    settings.SIGN_UPS_AT_ONCE = 0
    settings.STEADY_REPLY_SECONDS = 0.5
    for email in (alice.email, "nobody@alder-goods.example"):
        began = time.monotonic()
        assert from_("198.51.100.7").post(reverse(name), {"email": email, "password1": PASSWORD}).status_code == 302
        assert time.monotonic() - began >= 0.5


@pytest.mark.django_db
def test_signing_in_takes_the_same_hashes_whether_there_is_an_account_or_not(settings: Any) -> None:
    settings.PASSWORD_HASHERS = [f"{__name__}.CountingHasher"]
    alice = User.objects.create_user("alice@alder-goods.example", PASSWORD)

    def hashes(email: str) -> int:
        form = {"login": email, "password": "not the pass phrase"}
        return work_of(Client(), reverse("account_login"), form)["hashes"]

    assert hashes(alice.email) == hashes("nobody@alder-goods.example") > 0


@pytest.mark.django_db
def test_the_owner_of_a_known_address_is_told_and_nothing_changes(alice: User) -> None:
    use_up("198.51.100.7")
    sign_up(from_("198.51.100.7"), alice.email, "another long pass phrase")
    (message,) = mail.outbox
    assert message.subject == "You have a ContentOpt account already"
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)


@pytest.mark.django_db
def test_nobodys_mailbox_is_filled_by_others(alice: User) -> None:
    use_up("198.51.100.7")
    for email in (alice.email, "nobody@alder-goods.example"):
        mail.outbox.clear()
        pages = [sign_up(from_("198.51.100.7"), email).status_code for _ in range(5)]
        assert (pages, len(mail.outbox)) == ([302] * 5, 3)


@pytest.mark.django_db
def test_the_link_in_the_mail_leads_to_an_account_that_works_at_once() -> None:
    use_up("198.51.100.7")
    sign_up(from_("198.51.100.7"), "mia@alder-goods.example")
    (message,) = mail.outbox
    link = re.search(r"http://testserver(\S+)", str(message.body))
    assert link

    client = from_("198.51.100.7")
    form = client.get(link[1], follow=True)
    assert 'value="mia@alder-goods.example"' in form.content.decode()
    sign_up(client, "mia@alder-goods.example")

    assert is_in(client)
    user = User.objects.get(email="mia@alder-goods.example")
    assert EmailAddress.objects.get(user=user).verified
    assert Membership.objects.across_workspaces().filter(user=user).count() == 1


@pytest.mark.django_db
def test_the_link_proves_one_address_and_no_other(alice: User) -> None:
    use_up("198.51.100.7")
    client = from_("198.51.100.7")
    client.get(reverse("account_signup_confirmed", args=[signer.sign("mia@alder-goods.example")]))
    sign_up(client, "somebody-else@alder-goods.example")
    assert not is_in(client)
    assert not User.objects.filter(email="somebody-else@alder-goods.example").exists()


@pytest.mark.django_db
@pytest.mark.parametrize("token", ["nonsense", "mia@alder-goods.example:1tPzQ0:forged"])
def test_a_link_that_is_not_ours_makes_nothing(token: str) -> None:
    response = Client().get(reverse("account_signup_confirmed", args=[token]))
    assert response.status_code == 410
    assert not User.objects.exists()


@pytest.mark.django_db
def test_at_once_a_known_address_is_said_to_be_known_and_counts(alice: User) -> None:
    """The few answers that a network gets, so that somebody who has forgotten an account is told in place."""
    pages = [sign_up(from_("198.51.100.7"), alice.email) for _ in range(3)]
    assert [page.status_code for page in pages] == [200, 200, 302]
    assert "There is an account with this address" in pages[0].content.decode()


@pytest.mark.django_db
def test_a_network_is_what_the_trusted_proxy_says_and_not_what_the_visitor_says(settings: Any) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    clients = []
    for number in range(3):
        claimed = f"192.0.2.{number}, 198.51.100.7"  # the proxy adds the last one
        clients.append(Client(REMOTE_ADDR="10.0.0.1", headers={"X-Forwarded-For": claimed}))
        sign_up(clients[-1], f"mia-{number}@alder-goods.example")
    assert [is_in(client) for client in clients] == [True, True, False]


@pytest.mark.django_db
def test_without_a_trusted_proxy_what_a_visitor_claims_is_ignored() -> None:
    clients = []
    for number in range(3):
        clients.append(Client(REMOTE_ADDR="198.51.100.7", headers={"X-Forwarded-For": f"192.0.2.{number}"}))
        sign_up(clients[-1], f"mia-{number}@alder-goods.example")
    assert [is_in(client) for client in clients] == [True, True, False]


@pytest.mark.django_db
def test_guessing_from_behind_a_proxy_is_slowed_down_by_the_address_behind_it(alice: User, settings: Any) -> None:
    """And nobody else who comes through the same proxy is."""
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1

    def client(claimed: str) -> Client:
        return Client(REMOTE_ADDR="10.0.0.1", headers={"X-Forwarded-For": claimed})

    for number in range(40):
        guess = {"login": f"nobody-{number}@shop.example", "password": "not the pass phrase"}
        client(f"192.0.2.{number}, 198.51.100.7").post(reverse("account_login"), guess)
    right = {"login": alice.email, "password": PASSWORD}
    slowed, other = client("198.51.100.7"), client("203.0.113.9")
    for each in (slowed, other):
        each.post(reverse("account_login"), right)
    assert (is_in(slowed), is_in(other)) == (False, True)


@pytest.mark.django_db
def test_adding_an_address_does_not_tell_whose_it_is(alice: User, charlie: User) -> None:
    client = Client()
    client.post(reverse("account_login"), {"login": charlie.email, "password": PASSWORD})
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    mail.outbox.clear()
    answers = []
    for email in (alice.email, "nobody@alder-goods.example"):
        response = client.post(reverse("account_email"), {"action_add": "", "email": email}, follow=True)
        answers.append(re.sub(r'(value|X-CSRFToken": )="?"[^"]+"', "", response.content.decode()).replace(email, "…"))
    assert [("already" in page, "taken" in page) for page in answers] == [(False, False)] * 2
