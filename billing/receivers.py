from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from accounts.models import Workspace
from accounts.signals import workspace_closing, workspace_erasing
from billing.closing import FOLLOW_CLOSINGS, end_for_good
from contentopt.jobs import publish_on_commit


@receiver(workspace_closing)
def end_with_the_period(workspace: Workspace, **_kwargs: Any) -> None:
    """Once it is committed; the clock asks again, should that be lost."""
    publish_on_commit(FOLLOW_CLOSINGS)


@receiver(workspace_erasing)
def end_subscription(workspace: Workspace, **_kwargs: Any) -> None:
    end_for_good(workspace)
