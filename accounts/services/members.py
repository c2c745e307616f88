"""Who is in a workspace, and as what.

Each change locks the workspace first and reads who asks and who is meant again under that lock: rights, seats and the
last owner are looked at as they are when the change is made, not as they were when a page was drawn.
"""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.models import ApiKey, Invitation, Membership, Role, User, Workspace
from accounts.notices import tell_person
from accounts.permissions import MANAGED_ROLES, ROLE_SCOPES
from accounts.retiring import retire_on_commit
from accounts.signals import people_changed
from contentopt.errors import Conflict, NotAllowed


class LastOwner(Conflict):
    code = "last_owner"


class NoSeat(Conflict):
    code = "no_seat"


def lock_people(workspace_id: UUID) -> Workspace:
    """One change of a workspace's people at a time; what its people write goes on beside it."""
    workspaces = Workspace.objects.select_related("plan").select_for_update(of=("self",), no_key=True)
    return workspaces.get(pk=workspace_id)


def seat_limit(workspace: Workspace) -> int | None:
    """How many people the plan takes; None where there is no end, or where more are sold one by one."""
    plan = workspace.plan
    return None if plan.seat_price_cents else plan.seats


def require_seat(workspace: Workspace, taken: int) -> None:
    """Of a workspace that is locked."""
    limit = seat_limit(workspace)
    if limit is not None and taken >= limit:
        people = "one person" if limit == 1 else f"{limit} people"
        raise NoSeat(
            f"The {workspace.plan} plan of {workspace} is for {people}, and that many are in it or invited. Nothing "
            "was changed. Its owners can choose a larger plan; its admins can remove somebody or revoke an invitation.",
            details={"seats": limit},
        )


def add_member(*, workspace: Workspace, user: User, role: str) -> Membership:
    """In the transaction that has locked the workspace. Who is in it already stays as they are."""
    members = Membership.objects.in_workspace(workspace)
    if member := members.filter(user=user).first():
        return member
    require_seat(workspace, members.count())
    return Membership.objects.create(workspace=workspace, user=user, role=role)


@transaction.atomic
def change_role(*, actor: Membership, membership: Membership, role: str) -> int:
    """Holds from the next request on. Returns how many keys stopped that may more. Raises NotAllowed, LastOwner."""
    lock_people(actor.workspace_id)
    actor, membership = _again(actor), _again(membership)
    if role == Role.OWNER != membership.role:
        raise NotAllowed("Nobody becomes an owner by a role that is chosen: an owner gives the workspace to an admin.")
    if not {membership.role, role} <= MANAGED_ROLES[actor.role]:
        raise NotAllowed(
            f"As {actor.get_role_display().lower()} you cannot make {membership.user} {Role(role).label.lower()}. "
            "Nothing was changed. An owner can."
        )
    if membership.role == role:
        return 0
    _require_other_owner(membership, "Make somebody else an owner first; nothing was changed.")
    Membership.objects.in_workspace(membership.workspace_id).filter(pk=membership.pk).update(role=role)
    keys = _take_back(membership, ROLE_SCOPES[role])
    retire_on_commit()
    _announce(actor, "role_changed", membership.user, before=membership.role, after=role, keys=keys)
    return keys


@transaction.atomic
def remove_member(*, actor: Membership, membership: Membership) -> int:
    """They lose access with their next request, and the keys they made stop. Returns how many keys. Raises NotAllowed,
    LastOwner."""
    lock_people(actor.workspace_id)
    actor, membership = _again(actor), _again(membership)
    if membership.role not in MANAGED_ROLES[actor.role]:
        raise NotAllowed(f"{membership.user} is an owner, whom only an owner can remove. Nothing was changed.")
    keys = _end(membership)
    tell_person(
        workspace=membership.workspace,
        user_id=membership.user_id,
        topic=f"removed/{membership.pk}",
        subject="you were removed",
        text=f"{actor.user} has removed you from the workspace, so its pages and files are closed to you from now on. "
        "What you wrote there stays with the workspace.",
    )
    _announce(actor, "removed", membership.user, keys=keys)
    return keys


@transaction.atomic
def leave(membership: Membership) -> int:
    """Returns how many keys stopped. Raises LastOwner."""
    lock_people(membership.workspace_id)
    membership = _again(membership)
    keys = _end(membership)
    _announce(membership, "left", membership.user, keys=keys)
    return keys


@transaction.atomic
def give_ownership(*, actor: Membership, membership: Membership, is_shared: bool) -> None:
    """To an admin. Who gives it is an admin from then on, or an owner still if it `is_shared`. Raises NotAllowed,
    Conflict."""
    lock_people(actor.workspace_id)
    actor, membership = _again(actor), _again(membership)
    if actor.role != Role.OWNER:
        raise NotAllowed("Only an owner can give the workspace to somebody. Nothing was changed.")
    if membership.role != Role.ADMIN:
        raise Conflict(f"Make {membership.user} an admin first. Nothing was changed.", code="not_an_admin")
    members = Membership.objects.in_workspace(actor.workspace_id)
    members.filter(pk=membership.pk).update(role=Role.OWNER)
    if not is_shared:
        members.filter(pk=actor.pk).update(role=Role.ADMIN)
        _take_back(actor, ROLE_SCOPES[Role.ADMIN])
    retire_on_commit()
    for person in (actor, membership):
        tell_person(
            workspace=membership.workspace,
            user_id=person.user_id,
            topic=f"owner/{person.pk}/{timezone.now():%Y%m%d%H%M%S%f}",
            subject=f"{membership.user} is an owner now",
            text=f"{actor.user} has made {membership.user} an owner of the workspace, who sees to its plan, its "
            f"payments and its people. {actor.user} is {'an owner as well' if is_shared else 'an admin from now on'}.",
        )
    _announce(actor, "ownership_given", membership.user, is_shared=is_shared)


def _again(membership: Membership) -> Membership:
    """As it is now, under the workspace's lock."""
    members = Membership.objects.in_workspace(membership.workspace_id).select_related("user", "workspace")
    found = members.filter(pk=membership.pk).first()
    if found is None:
        raise Conflict(f"{membership.user} is no member of {membership.workspace} any more.", code="no_member")
    return found


def _require_other_owner(membership: Membership, what_to_do: str) -> None:
    """Said here in words; the database holds it (sql/owners.sql)."""
    owners = Membership.objects.in_workspace(membership.workspace_id).filter(role=Role.OWNER)
    if membership.role == Role.OWNER and not owners.exclude(pk=membership.pk).exists():
        raise LastOwner(f"{membership.user} is the only owner of {membership.workspace}. {what_to_do}")


def _end(membership: Membership) -> int:
    _require_other_owner(membership, "Give the workspace to an admin first; nothing was changed.")
    keys = _take_back(membership, frozenset())
    Membership.objects.in_workspace(membership.workspace_id).filter(pk=membership.pk).delete()
    retire_on_commit()
    return keys


def _take_back(membership: Membership, scopes: frozenset[str]) -> int:
    """What a person made while they were allowed more must not carry them past it: keys that may more than `scopes`,
    and invitations, if they may no longer send any."""
    keys = ApiKey.objects.in_workspace(membership.workspace_id).filter(created_by=membership.user, revoked_at=None)
    revoked = keys.exclude(scopes__contained_by=sorted(scopes)).update(revoked_at=timezone.now())
    if "admin" not in scopes:
        sent = Invitation.objects.in_workspace(membership.workspace_id).filter(invited_by=membership.user)
        sent.open().update(state=Invitation.State.REVOKED, closed_at=timezone.now())
    return revoked


def _announce(actor: Membership, action: str, person: User, **details: object) -> None:
    people_changed.send(
        Membership, workspace=actor.workspace, actor=actor.user, action=action, email=person.email, details=details
    )
