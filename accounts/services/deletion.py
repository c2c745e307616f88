"""A workspace or an account is to go: asked for, taken back, and what stands against it."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from django.db.models import Count, Q
from django.db.models.functions import Now
from django.utils import timezone

from accounts import budgets
from accounts.audit import record
from accounts.erasing import GRACE
from accounts.models import (
    PLATFORM_WORKSPACE_ID,
    Action,
    ApiKey,
    Deletion,
    Membership,
    Notice,
    Role,
    User,
    Workspace,
)
from accounts.retiring import retire_on_commit
from accounts.services.keys import revoke_key
from accounts.signals import workspace_closing
from contentopt.errors import Conflict, NotAllowed
from contentopt.jobs import JobState
from contentopt.tenancy import across_workspaces


def check_owner(membership: Membership) -> None:
    if membership.role != Role.OWNER:
        raise NotAllowed("Only an owner can delete or restore a workspace. Ask one of its owners.")


@transaction.atomic
def request_deletion(*, workspace: Workspace, membership: Membership) -> Deletion:
    """Read-only from now on, and gone after the grace unless an owner restores it. Asking twice is asking once."""
    check_owner(membership)
    if workspace.pk == PLATFORM_WORKSPACE_ID:
        raise NotAllowed("The platform's own workspace stays.")
    locked = Workspace.objects.select_for_update(of=("self",)).get(pk=workspace.pk)
    rows = Deletion.objects.in_workspace(workspace)
    present = rows.exclude(state=JobState.CANCELLED).first()
    if present:
        return present
    ends = timezone.now() + GRACE
    deletion = Deletion.objects.create(
        workspace=workspace, requested_by=membership.user, erases_at=ends, next_run_at=ends
    )
    _close(locked, ends)
    workspace.closes_at = ends
    record(Action.DELETION_REQUESTED, workspace=workspace, erases_at=ends)
    workspace_closing.send(Workspace, workspace=workspace)
    words = (
        f"{membership.user.email} asked for this workspace to be deleted. It is read-only now, and on "
        f"{ends:%-d %B %Y} everything in it is deleted for good. Until then an owner can restore it, and owners and "
        "admins can download everything."
    )
    _tell(deletion, "closing", headline="it will be deleted in 14 days", words=words)
    return deletion


@transaction.atomic
def restore(*, workspace: Workspace, membership: Membership) -> None:
    """As it was, but that a subscription which was ended meanwhile has to be kept on the plan page."""
    check_owner(membership)
    Workspace.objects.select_for_update(of=("self",)).get(pk=workspace.pk)
    waiting = Deletion.objects.in_workspace(workspace).filter(state=JobState.QUEUED, attempt=0, erases_at__gt=Now())
    deletion = waiting.first()
    if deletion is None or not waiting.update(state=JobState.CANCELLED, finished_at=Now()):
        raise Conflict("This workspace is not waiting to be deleted, or its time is over.")
    _close(workspace, None)
    workspace.closes_at = None
    record(Action.WORKSPACE_RESTORED, workspace=workspace)
    words = (
        f"{membership.user.email} restored this workspace. Everything is as it was; runs that were paused can go on."
    )
    _tell(deletion, "restored", headline="it stays", words=words)


def _close(workspace: Workspace, closes_at: object) -> None:
    Workspace.objects.filter(pk=workspace.pk).update(closes_at=closes_at)
    budgets.apply_limits(workspace.pk)
    retire_on_commit()


def _tell(deletion: Deletion, what: str, *, headline: str, words: str) -> None:
    Notice.objects.bulk_create(
        [
            Notice(
                workspace_id=deletion.workspace_id,
                kind=Notice.Kind.RIGHTS,
                topic=f"{what}/{deletion.pk}",
                details={"headline": headline, "words": words, "page": "workspace_delete"},
            )
        ],
        ignore_conflicts=True,
    )


# --- A person's own account -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ties:
    """What ends with an account, and what stands against its end."""

    memberships: list[Membership]
    sole_owner_of: list[Workspace]


@across_workspaces()
def ties_of(user: User) -> Ties:
    rows = Membership.objects.across_workspaces().filter(user=user).select_related("workspace")
    return Ties(list(rows.order_by("workspace__name")), _sole_owner_of(user))


def _sole_owner_of(user: User) -> list[Workspace]:
    """Workspaces that would be left without an owner. One that is being deleted needs none."""
    mine = Membership.objects.across_workspaces().filter(user=user, role=Role.OWNER)
    owners = Count("memberships", Q(memberships__role=Role.OWNER))
    owned = Workspace.objects.filter(pk__in=mine.values("workspace"), closes_at=None)
    return list(owned.annotate(owners=owners).filter(owners=1).order_by("name"))


@across_workspaces()
@transaction.atomic
def delete_account(user: User) -> None:
    """Their memberships go, and the keys they made are revoked; what they wrote in workspaces stays theirs. Raises
    Conflict while a workspace would be left without an owner."""
    if user.is_staff:
        raise NotAllowed("A staff account is not deleted here. Ask a colleague to take your staff rights first.")
    workspaces = Membership.objects.across_workspaces().filter(user=user).values("workspace")
    # In one order: two owners who leave at once wait for each other, and the second is the last.
    list(Workspace.objects.select_for_update(of=("self",)).filter(pk__in=workspaces).order_by("pk"))
    if alone := _sole_owner_of(user):
        names = ", ".join(f"“{workspace}”" for workspace in alone)
        raise Conflict(f"You are the only owner of {names}. Make somebody else an owner, or delete it first.")
    for membership in Membership.objects.across_workspaces().filter(user=user):
        for key in ApiKey.objects.in_workspace(membership.workspace_id).filter(created_by=user, revoked_at=None):
            revoke_key(key)
        record(Action.MEMBER_LEFT, workspace=membership.workspace_id, target=user, account_deleted=True)
    record(Action.ACCOUNT_DELETED, workspace=PLATFORM_WORKSPACE_ID, target=user)
    user.delete()
    retire_on_commit()
