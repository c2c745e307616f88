"""Who is in a workspace, changed from several processes at once; and readers who are cut off while they read."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import aclosing
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from accounts.models import ApiKey, Invitation, Membership, Plan, Role, User, Workspace
from accounts.services.invitations import accept
from accounts.services.keys import issue_key, revoke_key
from accounts.services.members import change_role, remove_member
from accounts.services.workspaces import change_plan
from contentopt.errors import DomainError
from contentopt.events import EventStream
from generation.models import Stream
from tests.conftest import SignIn, member
from tests.events import events_of
from tests.races.conftest import StartWorker

SEATS = 3


def said(attempt: Callable[[], object]) -> str:
    try:
        attempt()
    except DomainError as error:
        return error.code
    except IntegrityError:
        return "refused by the database"
    return "done"


def join(invitation_id: UUID, user_id: UUID) -> str:
    invitation = Invitation.objects.across_workspaces().get(pk=invitation_id)
    return said(lambda: accept(invitation=invitation, user=User.objects.get(pk=user_id)))


def find(membership_id: UUID) -> Membership:
    return Membership.objects.across_workspaces().select_related("user", "workspace").get(pk=membership_id)


def demote(actor_id: UUID, membership_id: UUID) -> str:
    return said(lambda: change_role(actor=find(actor_id), membership=find(membership_id), role=Role.ADMIN))


def demote_by_hand(membership_id: UUID) -> str:
    """As a wrong program would, which locks nothing and looks at nothing."""

    def write() -> None:
        with transaction.atomic():
            Membership.objects.across_workspaces().filter(pk=membership_id).update(role=Role.ADMIN)
            time.sleep(1)

    return said(write)


@pytest.fixture
def second_owner(shop: Workspace) -> User:
    return member(shop, "olga@alder-goods.example", Role.OWNER)


def owners(shop: Workspace) -> int:
    return Membership.objects.in_workspace(shop).filter(role=Role.OWNER).count()


@pytest.mark.processes
def test_no_more_join_at_once_than_there_are_seats(shop: Workspace, start_worker: StartWorker) -> None:
    plan, _ = Plan.objects.get_or_create(slug="of-three", defaults={"name": "Three", "seats": SEATS})
    change_plan(workspace=shop, plan=plan)
    people = [User.objects.create_user(f"person{n}@alder-goods.example") for n in range(5)]
    asked = [Invitation.objects.create(workspace=shop, email=each.email, role=Role.EDITOR) for each in people]

    rivals = [start_worker(join, each.pk, person.pk) for each, person in zip(asked, people, strict=True)]
    outcomes = sorted(rival.result() for rival in rivals)

    assert outcomes == ["done"] * (SEATS - 1) + ["no_seat"] * (5 - SEATS + 1)
    assert Membership.objects.in_workspace(shop).count() == SEATS
    left = Invitation.objects.in_workspace(shop).open().count()
    assert left == outcomes.count("no_seat")


@pytest.mark.processes
def test_one_invitation_accepted_twice_at_once_lets_in_once(
    shop: Workspace, charlie: User, start_worker: StartWorker
) -> None:
    invitation = Invitation.objects.create(workspace=shop, email=charlie.email, role=Role.EDITOR)
    rivals = [start_worker(join, invitation.pk, charlie.pk) for _ in range(3)]
    assert sorted(rival.result() for rival in rivals) == ["done", "invitation_closed", "invitation_closed"]
    assert Membership.objects.in_workspace(shop).filter(user=charlie).count() == 1


@pytest.mark.processes
def test_two_owners_who_demote_each_other_leave_one(
    shop: Workspace, alice: User, second_owner: User, start_worker: StartWorker
) -> None:
    one, other = (Membership.objects.in_workspace(shop).get(user=each).pk for each in (alice, second_owner))
    rivals = [start_worker(demote, one, other), start_worker(demote, other, one)]
    assert sorted(rival.result() for rival in rivals) == ["done", "forbidden"]
    assert owners(shop) == 1


@pytest.mark.processes
def test_two_owners_who_demote_themselves_leave_one(
    shop: Workspace, alice: User, second_owner: User, start_worker: StartWorker
) -> None:
    ids = [Membership.objects.in_workspace(shop).get(user=each).pk for each in (alice, second_owner)]
    rivals = [start_worker(demote, each, each) for each in ids]
    assert sorted(rival.result() for rival in rivals) == ["done", "last_owner"]
    assert owners(shop) == 1


@pytest.mark.processes
def test_the_database_alone_keeps_one_of_two_owners(
    shop: Workspace, alice: User, second_owner: User, start_worker: StartWorker
) -> None:
    ids = [Membership.objects.in_workspace(shop).get(user=each).pk for each in (alice, second_owner)]
    rivals = [start_worker(demote_by_hand, each) for each in ids]
    assert sorted(rival.result() for rival in rivals) == ["done", "refused by the database"]
    assert owners(shop) == 1


# --- Readers of a text as it is written -------------------------------------------------------------------------------


def read_to_the_end(response: EventStream, after_the_first: Callable[[], object]) -> bytes:
    """What a reader gets, when something happens once they have begun to read."""

    async def read() -> bytes:
        came = []
        async with aclosing(response.events()) as events:
            async for each in events:
                came.append(each)
                if len(came) == 1:
                    await asyncio.to_thread(after_the_first)
        return b"".join(came)

    return asyncio.run(asyncio.wait_for(read(), 20))


def waiting_stream(shop: Workspace, **columns: Any) -> Stream:
    """One that no worker has taken up."""
    return Stream.objects.create(workspace=shop, brief={}, facts={}, endpoint="page", **columns)


@pytest.mark.parametrize("is_removed", [True, False])
def test_reader_on_a_page_is_cut_off_with_their_membership(
    shop: Workspace, alice: User, bob: User, sign_in: SignIn, is_removed: bool
) -> None:
    stream, page = waiting_stream(shop), sign_in(bob)
    response = page.get(reverse("stream", args=[shop.slug, stream.pk]))
    assert isinstance(response, EventStream)
    ours, theirs = (
        Membership.objects.in_workspace(shop).select_related("user", "workspace").get(user=u) for u in (alice, bob)
    )

    def end() -> None:
        if is_removed:
            remove_member(actor=ours, membership=theirs)
        else:
            Stream.objects.in_workspace(shop).update(state="failed")

    came = read_to_the_end(response, end)

    assert ("done" in [event.name for event in events_of(came)]) != is_removed
    assert page.get(reverse("stream", args=[shop.slug, stream.pk])).status_code == (404 if is_removed else 200)


def test_program_is_cut_off_with_its_key_and_not_told_the_end(shop: Workspace) -> None:
    key, secret = issue_key(workspace=shop, name="Reader", scopes=["read", "write"])
    client = Client(headers={"Authorization": f"Bearer {secret}", "Accept": "text/event-stream"})
    response: Any = client.get(f"/api/v1/streams/{waiting_stream(shop).pk}")
    assert isinstance(response, EventStream)

    began = time.monotonic()
    (event,) = events_of(
        read_to_the_end(response, partial(revoke_key, ApiKey.objects.in_workspace(shop).get(pk=key.pk)))
    )

    assert (event.name, event.data["error"]["code"]) == ("error", "forbidden")
    assert time.monotonic() - began < 10


def test_program_whose_key_ends_with_the_text_is_not_told_it(shop: Workspace) -> None:
    key, secret = issue_key(workspace=shop, name="Reader", scopes=["read", "write"])
    client = Client(headers={"Authorization": f"Bearer {secret}", "Accept": "text/event-stream"})
    response: Any = client.get(f"/api/v1/streams/{waiting_stream(shop).pk}")

    def end() -> None:
        revoke_key(key)
        Stream.objects.in_workspace(shop).update(state="failed", failure="A secret reason")

    came = read_to_the_end(response, end)
    assert [event.data["error"]["code"] for event in events_of(came)] == ["forbidden"]
    assert b"secret" not in came
