from __future__ import annotations

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client
from django.urls import reverse

from accounts.models import Membership, Role, User, Workspace
from accounts.services.workspaces import create_workspace, first_workspace, workspace_name
from generation.models import Catalogue, Product

PASSWORD = "a long pass phrase"


def sign_up(client: Client, email: str, password: str = PASSWORD) -> int:
    return client.post(reverse("account_signup"), {"email": email, "password1": password}).status_code


def workspace_of(email: str) -> Workspace:
    return Membership.objects.across_workspaces().get(user__email=email).workspace


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


@pytest.mark.django_db
def test_a_new_user_works_at_once_in_a_workspace_of_their_own() -> None:
    client = Client()
    assert sign_up(client, "mia@alder-goods.co.uk") == 302

    workspace = workspace_of("mia@alder-goods.co.uk")

    assert (workspace.name, workspace.slug, workspace.plan_id) == ("Alder Goods", "alder-goods", "free")
    assert workspace.memberships.get().role == Role.OWNER
    assert client.get(reverse("home")).headers["Location"] == "/w/alder-goods/"


@pytest.mark.django_db
def test_a_new_workspace_has_the_sample_shop_inside() -> None:
    sign_up(Client(), "mia@alder-goods.co.uk")
    catalogue = Catalogue.objects.in_workspace(workspace_of("mia@alder-goods.co.uk")).get()
    assert (catalogue.status, catalogue.format, catalogue.is_sample) == ("ready", "shopify", True)
    assert Product.objects.in_workspace(catalogue.workspace_id).count() >= 60


@pytest.mark.django_db
def test_signing_up_sends_a_mail_to_verify_the_address() -> None:
    sign_up(Client(), "mia@alder-goods.co.uk")
    (message,) = mail.outbox
    assert message.to == ["mia@alder-goods.co.uk"]
    assert "/accounts/confirm-email/" in str(message.body)


@pytest.mark.django_db
@pytest.mark.parametrize("password", ["short", "1234567890123", "password1234", "mia@alder-goods.co.uk"])
def test_a_weak_password_makes_no_account(password: str) -> None:
    assert sign_up(Client(), "mia@alder-goods.co.uk", password) == 200
    assert not User.objects.filter(email="mia@alder-goods.co.uk").exists()


@pytest.mark.django_db
def test_an_address_has_one_account_whatever_its_case(alice: User) -> None:
    client = Client()
    sign_up(client, alice.email.upper())
    assert not is_signed_in(client)
    assert User.objects.filter(email__iexact=alice.email).count() == 1


@pytest.mark.django_db
def test_two_shops_of_one_name_get_addresses_of_their_own(alice: User) -> None:
    slugs = [create_workspace(owner=alice, name="Alder Goods").slug for _ in range(3)]
    assert slugs == ["alder-goods", "alder-goods-2", "alder-goods-3"]


@pytest.mark.django_db
def test_landing_without_a_workspace_makes_one(alice: User) -> None:
    workspace = first_workspace(alice)
    assert workspace.name == "Alder Goods"
    assert first_workspace(alice) == workspace


@pytest.mark.parametrize(
    ("email", "name"),
    [
        ("mia@alder-goods.co.uk", "Alder Goods"),
        ("mia@shop.example", "Shop"),
        ("mia.jones@gmail.com", "Mia Jones"),
        ("mia_jones+shop@GMX.de", "Mia Jones"),
        ("李@例え.jp", "My shop"),
    ],
)
def test_a_workspace_is_named_from_the_address(email: str, name: str) -> None:
    assert workspace_name(email) == name


def sign_in(client: Client, email: str, password: str) -> tuple[int, str]:
    response = client.post(reverse("account_login"), {"login": email, "password": password})
    return response.status_code, response.content.decode().replace(email, "…")


@pytest.mark.django_db
def test_the_right_password_signs_in(alice: User) -> None:
    client = Client()
    status, _ = sign_in(client, alice.email.upper(), PASSWORD)
    assert status == 302
    assert is_signed_in(client)


@pytest.mark.django_db
def test_a_wrong_password_does_not(alice: User) -> None:
    client = Client()
    status, _ = sign_in(client, alice.email, "not the pass phrase")
    assert status == 200
    assert not is_signed_in(client)


def errors_on(page: str) -> list[str]:
    return [line.strip() for line in page.splitlines() if "do not belong together" in line]


@pytest.mark.django_db
def test_signing_in_does_not_tell_who_has_an_account(alice: User) -> None:
    known, unknown = Client(), Client()
    status, page = sign_in(known, alice.email, "not the pass phrase")
    other_status, other_page = sign_in(unknown, "nobody@alder-goods.example", "not the pass phrase")
    assert status == other_status
    assert errors_on(page) == errors_on(other_page) != []


@pytest.mark.django_db
def test_resetting_a_password_does_not_tell_who_has_an_account(alice: User) -> None:
    def reset(email: str) -> tuple[int, str]:
        response = Client().post(reverse("account_reset_password"), {"email": email})
        return response.status_code, response.headers["Location"]

    assert reset(alice.email) == reset("nobody@alder-goods.example")


@pytest.mark.django_db
def test_guessing_a_password_is_slowed_down(alice: User) -> None:
    client = Client()
    for _ in range(10):
        _, page = sign_in(client, alice.email, "not the pass phrase")
    sign_in(client, alice.email, PASSWORD)
    assert not is_signed_in(client)
    assert "Wait five minutes, then try again." in page


@pytest.mark.django_db
def test_staff_without_a_workspace_land_on_their_own_pages(alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(is_staff=True)
    client = Client()
    client.force_login(alice)

    assert client.get(reverse("home")).headers["Location"] == reverse("admin:index")


@pytest.mark.django_db
def test_a_single_confirmed_address_offers_nothing_that_would_be_refused(alice: User) -> None:
    client = Client()
    client.force_login(alice)
    address = EmailAddress.objects.create(user=alice, email=alice.email, primary=True)
    unconfirmed = client.get(reverse("account_email")).content.decode()
    EmailAddress.objects.filter(pk=address.pk).update(verified=True)
    confirmed = client.get(reverse("account_email")).content.decode()
    EmailAddress.objects.create(user=alice, email="alice@home.example")
    several = client.get(reverse("account_email")).content.decode()

    actions = ("action_send", "action_primary", "action_remove")
    assert [name in unconfirmed for name in actions] == [True, False, False]
    assert [name in confirmed for name in actions] == [False, False, False]
    assert [name in several for name in actions] == [True, True, True]


@pytest.mark.django_db
def test_a_disabled_account_is_out_at_once(alice: User) -> None:
    client = Client()
    sign_in(client, alice.email, PASSWORD)
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert client.get(reverse("home")).status_code == 200  # the landing page, not a workspace


@pytest.mark.django_db
def test_signing_out_takes_a_post(alice: User) -> None:
    client = Client()
    sign_in(client, alice.email, PASSWORD)
    client.get(reverse("account_logout"))
    assert is_signed_in(client)
    client.post(reverse("account_logout"))
    assert not is_signed_in(client)
