from __future__ import annotations

from typing import Any

from allauth.account.signals import user_signed_up
from django.dispatch import receiver

from accounts.models import User
from accounts.services.workspaces import first_workspace


@receiver(user_signed_up)
def open_first_workspace(user: User, **_kwargs: Any) -> None:
    first_workspace(user)
