"""Who is in a workspace, as what, and what is taken from whoever goes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from django.core import mail
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse

from accounts.emails import send_notice
from accounts.erasing import erase_at_once
from accounts.models import ApiKey, Invitation, Membership, Notice, Plan, Role, User, Workspace
from accounts.permissions import MANAGED_ROLES, ROLE_SCOPES
from accounts.services.keys import issue_key
from accounts.services.members import LastOwner, change_role, give_ownership, leave, remove_member
from accounts.services.workspaces import create_workspace
from accounts.signals import people_changed
from contentopt.errors import Conflict, DomainError, NotAllowed
from tests.conftest import SignIn, member

pytestmark = pytest.mark.django_db

OnCommit = Callable[..., AbstractContextManager[object]]

BODY = {"prompt": "Oak board"}


def of(user: User, shop: Workspace) -> Membership:
    return Membership.objects.in_workspace(shop).select_related("user", "workspace").get(user=user)


@pytest.fixture
def ada(shop: Workspace) -> User:
    return member(shop, "ada@alder-goods.example", Role.ADMIN)


def key_of(shop: Workspace, maker: User, scopes: list[str]) -> tuple[ApiKey, Client]:
    key, secret = issue_key(workspace=shop, name="Script", scopes=scopes, created_by=maker)
    return key, Client(headers={"Authorization": f"Bearer {secret}"})


def describe(client: Client) -> int:
    return client.post("/api/v1/descriptions", BODY, content_type="application/json").status_code


def read(client: Client, url: str) -> int:
    """The status, once a download is read to its end."""
    response: Any = client.get(url)
    if response.streaming:
        b"".join(response)
    return int(response.status_code)


# --- Removed: out at once ---------------------------------------------------------------------------------------------


def test_a_removed_member_is_out_with_the_next_request(
    shop: Workspace, alice: User, bob: User, sign_in: SignIn, django_capture_on_commit_callbacks: OnCommit
) -> None:
    page = sign_in(bob)
    _, script = key_of(shop, bob, ["read", "write"])
    _, of_another = key_of(shop, alice, ["read", "write"])
    names = ("workspace_home", "products", "people", "usage_csv", "usage_table_csv")
    addresses = [reverse(name, args=[shop.slug]) for name in names]
    assert [read(page, url) for url in addresses] == [200] * 5
    assert [describe(script), describe(script)] == [200, 200]  # the second is remembered, and needs no PostgreSQL

    with django_capture_on_commit_callbacks(execute=True):
        keys = remove_member(actor=of(alice, shop), membership=of(bob, shop))

    assert keys == 1
    assert [read(page, url) for url in addresses] == [404] * 5
    assert describe(script) == 401
    assert describe(of_another) == 200
    assert page.get(reverse("home")).headers["Location"] == reverse("workspace_new")


def test_who_is_removed_leaves_no_open_door_behind(shop: Workspace, alice: User, ada: User) -> None:
    Invitation.objects.create(workspace=shop, email="friend@elsewhere.example", role=Role.ADMIN, invited_by=ada)
    remove_member(actor=of(alice, shop), membership=of(ada, shop))
    assert Invitation.objects.in_workspace(shop).get().state == Invitation.State.REVOKED


def test_who_is_removed_is_told(shop: Workspace, alice: User, bob: User) -> None:
    remove_member(actor=of(alice, shop), membership=of(bob, shop))
    send_notice(Notice.objects.in_workspace(shop).get(kind="team").pk)
    (message,) = mail.outbox
    assert message.to == [bob.email]
    assert "removed" in message.subject


def test_a_lower_role_takes_back_the_keys_that_may_more(shop: Workspace, alice: User, ada: User) -> None:
    strong, _ = key_of(shop, ada, ["read", "admin"])
    weak, _ = key_of(shop, ada, ["read", "write"])
    change_role(actor=of(alice, shop), membership=of(ada, shop), role=Role.EDITOR)
    strong.refresh_from_db()
    weak.refresh_from_db()
    assert (strong.is_active, weak.is_active) == (False, True)


# --- Who may do it to whom --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("actor_role", Role.values)
@pytest.mark.parametrize("role", Role.values)
def test_the_table_says_who_removes_whom(shop: Workspace, alice: User, actor_role: Role, role: Role) -> None:
    actor, other = member(shop, "one@x.example", actor_role), member(shop, "two@x.example", role)
    try:
        remove_member(actor=of(actor, shop), membership=of(other, shop))
        is_removed = True
    except NotAllowed:
        is_removed = False
    assert is_removed == (role in MANAGED_ROLES[actor_role])
    assert Membership.objects.in_workspace(shop).filter(user=other).exists() != is_removed


@pytest.mark.parametrize("actor_role", [Role.ADMIN, Role.OWNER])
def test_nobody_becomes_an_owner_by_a_chosen_role(shop: Workspace, ada: User, actor_role: Role) -> None:
    actor = member(shop, "one@x.example", actor_role)
    with pytest.raises(NotAllowed):
        change_role(actor=of(actor, shop), membership=of(ada, shop), role=Role.OWNER)
    assert of(ada, shop).role == Role.ADMIN


def test_nobody_manages_more_than_they_may_do_themselves() -> None:
    for actor_role, managed in MANAGED_ROLES.items():
        assert all(ROLE_SCOPES[role] <= ROLE_SCOPES[actor_role] for role in managed)


def test_an_admin_cannot_demote_an_owner_on_the_page(shop: Workspace, alice: User, ada: User, sign_in: SignIn) -> None:
    url = reverse("member_role", args=[shop.slug, of(alice, shop).pk])
    assert sign_in(ada).post(url, {"role": "viewer"}).status_code == 403
    assert of(alice, shop).role == Role.OWNER


def test_a_role_changed_on_the_page_holds_from_the_next_request(
    shop: Workspace, alice: User, bob: User, sign_in: SignIn
) -> None:
    page, url = sign_in(bob), reverse("import_new", args=[shop.slug])
    assert page.get(url).status_code == 200
    sign_in(alice).post(reverse("member_role", args=[shop.slug, of(bob, shop).pk]), {"role": "viewer"})
    assert page.get(url).status_code == 403


# --- Owners -----------------------------------------------------------------------------------------------------------


def test_the_last_owner_can_neither_leave_nor_be_demoted(shop: Workspace, alice: User) -> None:
    owner = of(alice, shop)
    attempts: list[Callable[[], int]] = [
        lambda: leave(owner),
        lambda: change_role(actor=owner, membership=owner, role=Role.ADMIN),
        lambda: remove_member(actor=owner, membership=owner),
    ]
    for attempt in attempts:
        with pytest.raises(LastOwner):
            attempt()
    assert of(alice, shop).role == Role.OWNER


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE accounts_membership SET role = 'admin' WHERE workspace_id = %s",
        "DELETE FROM accounts_membership WHERE workspace_id = %s",
    ],
)
def test_the_database_keeps_an_owner_whatever_writes_it(shop: Workspace, statement: str) -> None:
    def run() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, [shop.pk])
            cursor.execute("SET CONSTRAINTS keep_an_owner IMMEDIATE")

    with pytest.raises(IntegrityError, match="without an owner"):
        run()
    assert Membership.objects.in_workspace(shop).filter(role=Role.OWNER).count() == 1


def test_a_workspace_that_is_deleted_needs_no_owner(shop: Workspace, bob: User) -> None:
    erase_at_once(shop)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS keep_an_owner IMMEDIATE")
    assert not Workspace.objects.filter(pk=shop.pk).exists()


@pytest.mark.parametrize("is_shared", [False, True])
def test_ownership_goes_to_an_admin(shop: Workspace, alice: User, ada: User, is_shared: bool) -> None:
    give_ownership(actor=of(alice, shop), membership=of(ada, shop), is_shared=is_shared)
    assert of(ada, shop).role == Role.OWNER
    assert of(alice, shop).role == (Role.OWNER if is_shared else Role.ADMIN)
    told = Notice.objects.in_workspace(shop).filter(kind="team").values_list("details__user", flat=True)
    assert set(told) == {str(alice.pk), str(ada.pk)}


def test_ownership_goes_to_nobody_but_an_admin(shop: Workspace, alice: User, bob: User, ada: User) -> None:
    with pytest.raises(Conflict):
        give_ownership(actor=of(alice, shop), membership=of(bob, shop), is_shared=False)
    with pytest.raises(NotAllowed):
        give_ownership(actor=of(ada, shop), membership=of(ada, shop), is_shared=False)
    assert of(alice, shop).role == Role.OWNER


# --- Several workspaces -----------------------------------------------------------------------------------------------


def test_the_workspace_used_last_opens_after_signing_in(
    shop: Workspace, other_shop: Workspace, charlie: User, sign_in: SignIn
) -> None:
    Membership.objects.create(workspace=shop, user=charlie, role=Role.VIEWER)
    page = sign_in(charlie)
    for workspace in (shop, other_shop, shop):
        page.get(reverse("workspace_home", args=[workspace.slug]))
        assert sign_in(charlie).get(reverse("home")).headers["Location"] == f"/w/{workspace.slug}/"


def test_the_switcher_shows_ones_own_workspaces_alone(
    shop: Workspace, other_shop: Workspace, alice: User, charlie: User, sign_in: SignIn
) -> None:
    third = create_workspace(owner=charlie, name="Charlie's third")
    Membership.objects.create(workspace=shop, user=charlie, role=Role.VIEWER)
    said = sign_in(charlie).get(reverse("workspace_home", args=[shop.slug])).content.decode()
    assert all(f'href="/w/{each.slug}/"' in said for each in (shop, other_shop, third))
    assert f'href="/w/{other_shop.slug}/"' not in sign_in(alice).get(f"/w/{shop.slug}/").content.decode()


def test_another_workspace_is_made_and_opens(alice: User, shop: Workspace, sign_in: SignIn) -> None:
    page = sign_in(alice)
    answer = page.post(reverse("workspace_new"), {"name": "Second Shop"})
    assert answer.headers["Location"] == "/w/second-shop/"
    assert page.get("/w/second-shop/").status_code == 200
    assert Workspace.objects.get(slug="second-shop").plan_id == "free"


def test_who_is_in_no_workspace_is_offered_no_way_back_that_ends_here(charlie: User, sign_in: SignIn) -> None:
    page, back = sign_in(charlie), f'href="{reverse("home")}">'
    assert back not in page.get(reverse("workspace_new")).content.decode().partition("<main")[0].partition("<nav")[2]
    page.post(reverse("workspace_new"), {"name": "First Shop"})
    assert back in page.get(reverse("workspace_new")).content.decode().partition("<main")[0].partition("<nav")[2]


def test_free_workspaces_of_one_person_have_an_end(charlie: User, sign_in: SignIn) -> None:
    page = sign_in(charlie)
    answers = [page.post(reverse("workspace_new"), {"name": f"Shop {n}"}).status_code for n in range(6)]
    assert answers == [302] * 5 + [422]
    Plan.objects.filter(slug="pro").get().workspaces.add(Workspace.objects.get(slug="shop-0"))
    assert page.post(reverse("workspace_new"), {"name": "Shop 6"}).status_code == 302


# --- Told -------------------------------------------------------------------------------------------------------------


def test_every_change_is_announced_with_who_did_it(shop: Workspace, alice: User, ada: User, bob: User) -> None:
    heard: list[tuple[str, str, str]] = []

    def listen(actor: User, action: str, email: str, **_kwargs: object) -> None:
        heard.append((action, actor.email, email))

    people_changed.connect(listen)
    try:
        change_role(actor=of(alice, shop), membership=of(bob, shop), role=Role.VIEWER)
        remove_member(actor=of(alice, shop), membership=of(bob, shop))
        give_ownership(actor=of(alice, shop), membership=of(ada, shop), is_shared=False)
        leave(of(alice, shop))
        with pytest.raises(DomainError):
            leave(of(ada, shop))
    finally:
        people_changed.disconnect(listen)
    assert heard == [
        ("role_changed", alice.email, bob.email),
        ("removed", alice.email, bob.email),
        ("ownership_given", alice.email, ada.email),
        ("left", alice.email, alice.email),
    ]
