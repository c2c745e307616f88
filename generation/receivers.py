from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from accounts.models import Workspace
from accounts.signals import workspace_created
from generation.services.catalogues import add_sample_shop


@receiver(workspace_created)
def add_sample_shop_to_new_workspace(workspace: Workspace, **_kwargs: Any) -> None:
    add_sample_shop(workspace)
