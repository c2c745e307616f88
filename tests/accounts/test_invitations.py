"""Asking somebody in by mail: who may, who gets in, and when no longer."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.emails import send_notice, sweep_notices
from accounts.invitations import signer, token_of
from accounts.models import Invitation, Membership, Notice, Plan, Role, User, Workspace
from accounts.services import invitations
from accounts.services.members import NoSeat
from accounts.services.workspaces import change_plan, create_workspace
from contentopt.errors import Conflict, NotAllowed, RateLimited
from tests.conftest import SignIn, member

pytestmark = pytest.mark.django_db

NEWCOMER = "nora@alder-goods.example"
PASSWORD = "a long pass phrase"


def confirmed(user: User) -> User:
    EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=True)
    return user


def membership(user: User, shop: Workspace) -> Membership:
    return Membership.objects.in_workspace(shop).select_related("user", "workspace").get(user=user)


@pytest.fixture
def owner(alice: User, shop: Workspace) -> Membership:
    return membership(confirmed(alice), shop)


def invited(owner: Membership, email: str = NEWCOMER, role: str = Role.EDITOR) -> Invitation:
    return invitations.invite(actor=owner, email=email, role=role)


def link(invitation: Invitation) -> str:
    return reverse("invitation", args=[token_of(invitation.pk)])


def people(shop: Workspace) -> dict[str, str]:
    return dict(Membership.objects.in_workspace(shop).values_list("user__email", "role"))


def mailed() -> list[Any]:
    for notice in Notice.objects.across_workspaces().filter(state="queued"):
        send_notice(notice.pk)
    return mail.outbox


def free_with(shop: Workspace, seats: int) -> None:
    plan = Plan.objects.create(slug="small", name="Small", seats=seats)
    change_plan(workspace=shop, plan=plan)


# --- Coming in --------------------------------------------------------------------------------------------------------


def test_newcomer_signs_up_through_the_mailed_link_and_is_in(owner: Membership, shop: Workspace) -> None:
    page = Client()
    owner_page = Client()
    owner_page.force_login(owner.user, "allauth.account.auth_backends.AuthenticationBackend")
    answer = owner_page.post(reverse("people_invite", args=[shop.slug]), {"email": NEWCOMER.upper(), "role": "editor"})
    assert answer.status_code == 302

    (message,) = mailed()
    assert message.to == [NEWCOMER]
    assert owner.user.email in message.body
    found = re.search(r"http://127\.0\.0\.1:\d+(/invitations/\S+)", message.body)
    assert found
    assert NEWCOMER in page.get(found[1]).content.decode()
    joined = page.post(found[1], {"email": "mallory@elsewhere.example", "password1": PASSWORD})

    assert (joined.status_code, joined.headers["Location"]) == (302, f"/w/{shop.slug}/")
    assert page.get(reverse("home")).headers["Location"] == f"/w/{shop.slug}/"
    assert people(shop) == {owner.user.email: "owner", NEWCOMER: "editor"}
    assert EmailAddress.objects.get(email=NEWCOMER).verified
    assert Membership.objects.across_workspaces().filter(user__email=NEWCOMER).count() == 1  # no shop of their own
    assert not User.objects.filter(email="mallory@elsewhere.example").exists()


def test_who_has_an_account_joins_with_it_and_keeps_their_workspace(
    owner: Membership, shop: Workspace, charlie: User, other_shop: Workspace, sign_in: SignIn
) -> None:
    url = link(invited(owner, charlie.email))
    assert reverse("account_login") in Client().get(url).content.decode()
    client = sign_in(charlie)

    assert client.get(url).status_code == 200
    assert client.post(url).headers["Location"] == f"/w/{shop.slug}/"

    assert people(shop)[charlie.email] == Role.EDITOR
    assert client.get(reverse("workspace_home", args=[other_shop.slug])).status_code == 200
    assert (mailed()[-1].to, "has joined" in mailed()[-1].subject) == ([owner.user.email], True)


def test_weak_password_makes_neither_account_nor_member(owner: Membership, shop: Workspace) -> None:
    assert Client().post(link(invited(owner)), {"password1": "short"}).status_code == 422
    assert not User.objects.filter(email=NEWCOMER).exists()
    assert Invitation.objects.in_workspace(shop).get().state == Invitation.State.OPEN


def test_another_address_is_refused_and_not_told_which(
    owner: Membership, shop: Workspace, charlie: User, sign_in: SignIn
) -> None:
    url = link(invited(owner))
    client = sign_in(charlie)

    for answer in (client.get(url), client.post(url)):
        assert answer.status_code == 403
        said = answer.content.decode()
        assert charlie.email in said
        assert "n…@a….example" in said
        assert NEWCOMER not in said
    assert people(shop) == {owner.user.email: "owner"}
    assert Client().get(url).status_code == 200  # still open, for whom it is


def test_an_address_that_was_only_claimed_does_not_open_it(
    owner: Membership, shop: Workspace, charlie: User, sign_in: SignIn
) -> None:
    claimed = EmailAddress.objects.create(user=charlie, email=NEWCOMER)
    url = link(invited(owner))
    assert sign_in(charlie).post(url).status_code == 403

    claimed.verified = True
    claimed.save()
    assert sign_in(charlie).post(url).status_code == 302
    assert charlie.email in people(shop)


@pytest.mark.parametrize("visitor", ["nobody", "invited"])
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"expires_at": timezone.now() - timedelta(seconds=1)}, "run out"),
        ({"state": "revoked", "closed_at": timezone.now()}, "taken back"),
        ({"state": "accepted", "closed_at": timezone.now()}, "used already"),
    ],
)
def test_a_closed_link_says_why_and_lets_nobody_in(
    owner: Membership,
    shop: Workspace,
    charlie: User,
    sign_in: SignIn,
    change: dict[str, Any],
    words: str,
    visitor: str,
) -> None:
    url = link(invited(owner, charlie.email))
    Invitation.objects.in_workspace(shop).update(**change)
    client = sign_in(charlie) if visitor == "invited" else Client()

    for answer in (client.get(url), client.post(url, {"password1": PASSWORD})):
        assert answer.status_code == 410
        assert words in answer.content.decode()
    assert people(shop) == {owner.user.email: "owner"}


def test_nobody_joins_a_workspace_that_is_being_deleted(
    owner: Membership, shop: Workspace, charlie: User, sign_in: SignIn
) -> None:
    url = link(invited(owner, charlie.email))
    Workspace.objects.filter(pk=shop.pk).update(closes_at=timezone.now() + timedelta(days=14))

    answer = sign_in(charlie).post(url)

    assert answer.status_code == 410
    assert "being deleted" in answer.content.decode()
    assert people(shop) == {owner.user.email: "owner"}


def test_a_link_is_used_once(owner: Membership, shop: Workspace, charlie: User, sign_in: SignIn) -> None:
    invitation = invited(owner, charlie.email)
    client = sign_in(charlie)
    client.post(link(invitation))
    membership(charlie, shop).delete()

    assert client.post(link(invitation)).headers["Location"] == f"/w/{shop.slug}/"
    assert client.get(f"/w/{shop.slug}/").status_code == 404
    assert charlie.email not in people(shop)


@pytest.mark.parametrize("token", ["", "nonsense", "00000000-0000-4000-8000-000000000009"])
def test_a_link_that_we_never_made_is_404(owner: Membership, token: str) -> None:
    invitation = invited(owner)
    tokens = [token or signer.sign("not an id"), str(invitation.pk), f"{invitation.pk}:{'a' * 43}"]
    assert [Client().get(reverse("invitation", args=[each])).status_code for each in tokens] == [404] * 3


# --- Seats ------------------------------------------------------------------------------------------------------------


def test_a_full_plan_takes_no_more_invitations_than_seats(owner: Membership, shop: Workspace) -> None:
    free_with(shop, 2)
    invited(owner)
    with pytest.raises(NoSeat):
        invited(owner, "olaf@alder-goods.example")

    invited(owner)  # the same person again takes no second one
    invitations.revoke_invitation(actor=owner, invitation=Invitation.objects.in_workspace(shop).get())
    invited(owner, "olaf@alder-goods.example")


def test_no_seat_left_makes_no_account_and_keeps_the_invitation(owner: Membership, shop: Workspace) -> None:
    free_with(shop, 2)
    invitation = invited(owner)
    member(shop, "late@alder-goods.example", Role.VIEWER)

    answer = Client().post(link(invitation), {"password1": PASSWORD})

    assert answer.status_code == 422
    assert "2 people" in answer.content.decode()
    assert not User.objects.filter(email=NEWCOMER).exists()
    invitation.refresh_from_db()
    assert invitation.state == Invitation.State.OPEN


def test_a_plan_that_sells_seats_takes_as_many_as_join(owner: Membership, shop: Workspace) -> None:
    change_plan(workspace=shop, plan=Plan.objects.create(slug="sold", name="Sold", seats=1, seat_price_cents=500))
    assert invited(owner).state == Invitation.State.OPEN


# --- Sending ----------------------------------------------------------------------------------------------------------


def test_inviting_again_renews_the_one_invitation(owner: Membership, shop: Workspace) -> None:
    first = invited(owner)
    Invitation.objects.in_workspace(shop).update(expires_at=timezone.now())

    second = invited(owner, role=Role.VIEWER)

    assert second.pk == first.pk
    assert (second.role, second.is_expired) == (Role.VIEWER, False)
    assert [link(first) in str(message.body) for message in mailed()] == [True, True]


def test_one_open_invitation_an_address_whatever_writes_it(owner: Membership, shop: Workspace) -> None:
    invited(owner)
    with pytest.raises(IntegrityError), transaction.atomic():
        Invitation.objects.create(workspace=shop, email=NEWCOMER, role=Role.VIEWER)
    with pytest.raises(IntegrityError), transaction.atomic():
        Invitation.objects.create(workspace=shop, email="x@alder-goods.example", role=Role.OWNER)


def test_what_is_revoked_before_its_mail_went_out_is_not_mailed(owner: Membership, shop: Workspace) -> None:
    invitations.revoke_invitation(actor=owner, invitation=invited(owner))
    sweep_notices()
    assert mailed() == []


def test_an_address_is_not_flooded_whoever_invites_it(owner: Membership, shop: Workspace, charlie: User) -> None:
    theirs = create_workspace(owner=confirmed(charlie), name="Elsewhere", plan="internal")
    for _ in range(2):
        invited(owner)
    invited(membership(charlie, theirs))
    for sender in (owner, membership(charlie, theirs)):
        with pytest.raises(RateLimited) as refused:
            invited(sender)
        assert refused.value.retry_after
    assert len(mailed()) == 3


def test_a_person_sends_only_so_many_from_all_their_workspaces(owner: Membership, shop: Workspace) -> None:
    second = membership(owner.user, create_workspace(owner=owner.user, name="Second", plan="internal"))
    for number in range(10):
        invited((owner, second)[number % 2], f"person{number}@alder-goods.example")
    with pytest.raises(RateLimited):
        invited(second, "person10@alder-goods.example")


def test_who_has_not_confirmed_their_own_address_invites_nobody(alice: User, shop: Workspace) -> None:
    with pytest.raises(NotAllowed) as refused:
        invited(membership(alice, shop))
    assert refused.value.code == "unconfirmed_address"


def test_a_member_is_not_invited_again(owner: Membership, bob: User) -> None:
    with pytest.raises(Conflict):
        invited(owner, bob.email.upper())


def test_who_was_demoted_a_moment_ago_invites_nobody(owner: Membership, shop: Workspace) -> None:
    admin = membership(confirmed(member(shop, "ada@alder-goods.example", Role.ADMIN)), shop)
    Membership.objects.in_workspace(shop).filter(pk=admin.pk).update(role=Role.EDITOR)
    with pytest.raises(NotAllowed):
        invited(admin)
    assert not Invitation.objects.in_workspace(shop).exists()


def test_a_workspaces_name_cannot_carry_a_web_address_into_mails(alice: User, shop: Workspace, sign_in: SignIn) -> None:
    client = sign_in(alice)
    for name in ("Win at https://evil.example", "www.evil.example", "a//b"):
        assert client.post(reverse("workspace_new"), {"name": name}).status_code == 422
    assert Workspace.objects.filter(memberships__user=alice).count() == 1
