from __future__ import annotations

from typing import Any

from allauth.account.signals import user_logged_in, user_signed_up
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.http import HttpRequest

from accounts.acting import person
from accounts.audit import record
from accounts.models import PLATFORM_WORKSPACE_ID, Action, ApiKey, LimitStep, Membership, Plan, User, Workspace
from accounts.retiring import retire_on_commit
from accounts.services.workspaces import first_workspace


@receiver(user_logged_in)
def note_sign_in(request: HttpRequest, user: User, **_kwargs: Any) -> None:
    """In the log of every workspace they are a member of; of staff without one, in the platform's."""
    members = Membership.objects.across_workspaces().filter(user=user)
    for workspace_id in members.values_list("workspace_id", flat=True) or [PLATFORM_WORKSPACE_ID]:
        record(Action.SIGNED_IN, workspace=workspace_id, target=user, by=person(user, request))


@receiver(user_signed_up)
def open_first_workspace(user: User, **_kwargs: Any) -> None:
    first_workspace(user)


# What staff save and delete in the admin. Services that change rows by a query say so themselves; the clock finds the
# rest within seconds.
def retire_what_was_changed(**_kwargs: Any) -> None:
    retire_on_commit()


for model in (ApiKey, LimitStep, Membership, Plan, Workspace):
    post_save.connect(retire_what_was_changed, sender=model)
    post_delete.connect(retire_what_was_changed, sender=model)
