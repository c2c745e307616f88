from __future__ import annotations

from typing import Any

from allauth.account.signals import user_logged_in, user_signed_up
from allauth.mfa.signals import authentication_failed
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.http import HttpRequest

from accounts.acting import person, present_actor, staff_member
from accounts.audit import record
from accounts.models import (
    PLATFORM_WORKSPACE_ID,
    Action,
    ApiKey,
    Impersonation,
    LimitStep,
    Membership,
    Plan,
    User,
    Workspace,
)
from accounts.retiring import retire_on_commit
from accounts.services.sign_in import note_sign_in, tell_of_failed_factor
from accounts.services.workspaces import first_workspace
from accounts.signals import impersonation_began, impersonation_ended, people_changed


@receiver(user_logged_in)
def record_sign_in(request: HttpRequest, user: User, **_kwargs: Any) -> None:
    """In the log of every workspace they are a member of; of staff without one, in the platform's."""
    members = Membership.objects.across_workspaces().filter(user=user)
    for workspace_id in members.values_list("workspace_id", flat=True) or [PLATFORM_WORKSPACE_ID]:
        record(Action.SIGNED_IN, workspace=workspace_id, target=user, by=person(user, request))


@receiver(user_signed_up)
def open_first_workspace(user: User, **_kwargs: Any) -> None:
    first_workspace(user)


@receiver(user_logged_in)
def notice_new_devices(request: HttpRequest, user: User, **_kwargs: Any) -> None:
    note_sign_in(request, user)


@receiver(authentication_failed)
def notice_failed_factors(user: User, reauthentication: bool, **_kwargs: Any) -> None:
    if not reauthentication:
        tell_of_failed_factor(user)


# --- In the audit log -------------------------------------------------------------------------------------------------

OF_PEOPLE = {
    "invited": Action.MEMBER_INVITED,
    "invitation_revoked": Action.INVITATION_REVOKED,
    "joined": Action.MEMBER_JOINED,
    "role_changed": Action.MEMBER_ROLE_CHANGED,
    "removed": Action.MEMBER_REMOVED,
    "left": Action.MEMBER_LEFT,
    "ownership_given": Action.OWNERSHIP_GIVEN,
}


@receiver(people_changed)
def record_people(
    workspace: Workspace, actor: User, action: str, email: str, details: dict[str, object], **_kwargs: Any
) -> None:
    """By whoever is signed in; who joins by signing up is not yet."""
    present = present_actor()
    by = present if present.user_id or present.api_key_id else person(actor)
    record(OF_PEOPLE[action], workspace=workspace, target=User.objects.filter(email=email).first(), by=by, **details)


@receiver(impersonation_began)
def record_impersonation(impersonation: Impersonation, **_kwargs: Any) -> None:
    _record_impersonation(Action.IMPERSONATION_BEGAN, impersonation)


@receiver(impersonation_ended)
def record_end_of_impersonation(impersonation: Impersonation, **_kwargs: Any) -> None:
    _record_impersonation(Action.IMPERSONATION_ENDED, impersonation)


def _record_impersonation(action: Action, impersonation: Impersonation) -> None:
    """In the log of every workspace that they could look into so."""
    members = Membership.objects.across_workspaces().filter(user=impersonation.user_id)
    by = staff_member(impersonation.staff_id)
    for workspace_id in members.values_list("workspace_id", flat=True) or [PLATFORM_WORKSPACE_ID]:
        record(action, workspace=workspace_id, target=impersonation.user, by=by, reason=impersonation.reason)


# --- What is remembered elsewhere -------------------------------------------------------------------------------------


# What staff save and delete in the admin. Services that change rows by a query say so themselves; the clock finds the
# rest within seconds.
def retire_what_was_changed(**_kwargs: Any) -> None:
    retire_on_commit()


for model in (ApiKey, LimitStep, Membership, Plan, Workspace):
    post_save.connect(retire_what_was_changed, sender=model)
    post_delete.connect(retire_what_was_changed, sender=model)
