"""Asking somebody in by mail, and their coming in."""

from __future__ import annotations

import hashlib

from allauth.account.models import EmailAddress
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import Invitation, Membership, Notice, User, Workspace
from accounts.models.invitations import default_end
from accounts.notices import tell_person
from accounts.permissions import MANAGED_ROLES
from accounts.services.members import add_member, lock_people, require_seat
from accounts.signals import people_changed
from accounts.throttling import take_for_invitation
from contentopt.errors import Conflict, DomainError, NotAllowed
from contentopt.tenancy import entering


class Unconfirmed(NotAllowed):
    code = "unconfirmed_address"


class NotInvited(NotAllowed):
    """The invitation is somebody else's."""

    code = "another_address"


class InvitationClosed(DomainError):
    code = "invitation_closed"
    status = 410


def invite(*, actor: Membership, email: str, role: str) -> Invitation:
    """Who is invited already is sent the mail again, with a week from now and the new role. Raises DomainError."""
    email = email.strip().lower()
    if not EmailAddress.objects.filter(user=actor.user, verified=True).exists():
        raise Unconfirmed(
            "Confirm your own address first: we sent you a link when you signed up, and the account page sends another."
        )
    if Membership.objects.in_workspace(actor.workspace_id).filter(user__email=email).exists():
        raise Conflict(f"{email} is in {actor.workspace} already.", code="member_already")
    take_for_invitation(actor, hashlib.sha256(email.encode()).hexdigest())
    return _store(actor, email, role)


@transaction.atomic
def _store(actor: Membership, email: str, role: str) -> Invitation:
    workspace = lock_people(actor.workspace_id)
    _check_rights(actor, role)
    invitations = Invitation.objects.in_workspace(workspace)
    earlier = invitations.open().filter(email=email)
    if not earlier.holding_a_seat().exists():
        members = Membership.objects.in_workspace(workspace)
        require_seat(workspace, members.count() + invitations.holding_a_seat().count())
    again = {"role": role, "invited_by": actor.user, "sent_at": timezone.now(), "expires_at": default_end()}
    if earlier.update(**again):
        invitation = earlier.get()
    else:
        invitation = Invitation.objects.create(workspace=workspace, email=email, **again)
    Notice.objects.create(
        workspace=workspace,
        kind=Notice.Kind.INVITATION,
        topic=f"invitation/{invitation.pk}/{invitation.sent_at:%Y%m%d%H%M%S%f}",
        details={"invitation": str(invitation.pk)},
    )
    _announce(workspace, actor.user, "invited", email, role)
    return invitation


def resend(*, actor: Membership, invitation: Invitation) -> Invitation:
    """The same link, a week from now. Raises DomainError."""
    if invitation.state != Invitation.State.OPEN:
        raise Conflict("This invitation is closed by now. Invite the person anew.", code="invitation_closed")
    return invite(actor=actor, email=invitation.email, role=invitation.role)


@transaction.atomic
def revoke_invitation(*, actor: Membership, invitation: Invitation) -> None:
    """Its link is void at once. Raises Conflict if it was accepted a moment before."""
    revoked = Invitation.objects.in_workspace(actor.workspace_id).open().filter(pk=invitation.pk)
    if not revoked.update(state=Invitation.State.REVOKED, closed_at=timezone.now()):
        raise Conflict("This invitation was accepted or revoked a moment ago.", code="invitation_closed")
    _announce(actor.workspace, actor.user, "invitation_revoked", invitation.email, invitation.role)


def is_theirs(invitation: Invitation, user: User) -> bool:
    """Whether the invited address is the one they sign in with, or one they have confirmed."""
    confirmed = EmailAddress.objects.filter(user=user, verified=True, email__iexact=invitation.email)
    return user.email.lower() == invitation.email or confirmed.exists()


@transaction.atomic
def accept(*, invitation: Invitation, user: User) -> Membership:
    """Once, by the invited address alone, and only while the plan has a seat. Raises NotInvited, InvitationClosed,
    NoSeat; nothing is changed then, so that it can be tried again."""
    with entering(invitation.workspace_id):
        return _accept(invitation, user)


def _accept(invitation: Invitation, user: User) -> Membership:
    if not is_theirs(invitation, user):
        raise NotInvited("This invitation is for another address.")
    workspace = lock_people(invitation.workspace_id)
    if workspace.closes_at:
        raise InvitationClosed("This workspace is being deleted, so nobody can join it. Ask whoever invited you.")
    accepted = (
        Invitation.objects.in_workspace(workspace)
        .open()
        .filter(pk=invitation.pk, expires_at__gt=Now())
        .update(state=Invitation.State.ACCEPTED, accepted_by=user, closed_at=timezone.now())
    )
    invitation.refresh_from_db(fields=("role", "state", "expires_at"))  # the role may have been changed meanwhile
    if not accepted:
        raise InvitationClosed(closed_words(invitation))
    member = add_member(workspace=workspace, user=user, role=invitation.role)
    User.objects.filter(pk=user.pk).update(last_workspace=workspace)
    if invitation.invited_by_id:
        tell_person(
            workspace=workspace,
            user_id=invitation.invited_by_id,
            topic=f"joined/{invitation.pk}",
            subject=f"{invitation.email} has joined",
            text=f"{invitation.email} has accepted your invitation and is in the workspace as "
            f"{member.get_role_display().lower()}.",
        )
    _announce(workspace, user, "joined", invitation.email, member.role)
    return member


def closed_words(invitation: Invitation) -> str:
    """Why it can no longer be accepted, and what to do; empty while it can."""
    if invitation.state == Invitation.State.ACCEPTED:
        return "This invitation was used already. If it was you, sign in with the address it was sent to."
    if invitation.state == Invitation.State.REVOKED:
        return "This invitation was taken back. Ask whoever invited you for a new one."
    if invitation.is_expired:
        return "This invitation has run out after seven days. Ask whoever invited you to send it again."
    return ""


def _check_rights(actor: Membership, role: str) -> None:
    """As they are under the workspace's lock."""
    present = Membership.objects.in_workspace(actor.workspace_id).filter(pk=actor.pk).values_list("role", flat=True)
    if role not in MANAGED_ROLES.get(present.first() or "", frozenset()):
        raise NotAllowed("Owners and admins invite people. Your role here is another by now; nobody was invited.")


def _announce(workspace: Workspace, actor: User, action: str, email: str, role: str) -> None:
    people_changed.send(
        Invitation, workspace=workspace, actor=actor, action=action, email=email, details={"role": role}
    )
