from __future__ import annotations

from typing import Any

from allauth.account.signals import user_logged_in, user_signed_up
from allauth.mfa.signals import authentication_failed
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.http import HttpRequest

from accounts.models import ApiKey, LimitStep, Membership, Plan, User, Workspace
from accounts.retiring import retire_on_commit
from accounts.services.sign_in import note_sign_in, tell_of_failed_factor
from accounts.services.workspaces import first_workspace


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


# What staff save and delete in the admin. Services that change rows by a query say so themselves; the clock finds the
# rest within seconds.
def retire_what_was_changed(**_kwargs: Any) -> None:
    retire_on_commit()


for model in (ApiKey, LimitStep, Membership, Plan, Workspace):
    post_save.connect(retire_what_was_changed, sender=model)
    post_delete.connect(retire_what_was_changed, sender=model)
