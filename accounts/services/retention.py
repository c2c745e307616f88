"""How long a workspace keeps what it could do without."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from accounts.audit import record
from accounts.models import Action, Retention, Workspace

FIELDS = ("old_version_days", "import_file_days", "model_call_days", "stream_days")


def retention_of(workspace: Workspace) -> Retention:
    """What was set, or what holds until something is."""
    found = Retention.objects.in_workspace(workspace).first()
    return found or Retention(workspace=workspace)


@transaction.atomic
def set_retention(*, workspace: Workspace, **days: int | None) -> None:
    """Holds from the next night on, for what is there already too. What was dropped cannot be brought back."""
    known = retention_of(workspace)
    before = {name: getattr(known, name) for name in FIELDS}
    if days == before:
        return
    Retention.objects.in_workspace(workspace).update_or_create(workspace=workspace, defaults=days)
    changed: dict[str, Any] = {name: value for name, value in days.items() if before[name] != value}
    record(Action.RETENTION_CHANGED, workspace=workspace, **changed)
