from __future__ import annotations

import secrets
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts import budgets
from accounts.audit import record
from accounts.authentication import secret_digest
from accounts.models import Action, ApiKey, Scope, User, Workspace
from accounts.retiring import retire_on_commit

KEY_START = "co_"  # lets secret scanners find a leaked key


@transaction.atomic
def issue_key(
    *,
    workspace: Workspace,
    name: str,
    scopes: list[str],
    created_by: User | None = None,
    burst_per_minute: int | None = None,
    requests_per_day: int | None = None,
    spend_cap_nanos: int | None = None,
) -> tuple[ApiKey, str]:
    """The row, and the key itself (`co_1a2b3c4d.<secret>`): shown once, never stored."""
    prefix = KEY_START + secrets.token_hex(4)
    secret = secrets.token_urlsafe(32)
    key = ApiKey.objects.create(
        workspace=workspace,
        name=name,
        prefix=prefix,
        secret_sha256=secret_digest(secret),
        scopes=[scope for scope in Scope.values if scope in scopes],
        created_by=created_by,
        burst_per_minute=burst_per_minute,
        requests_per_day=requests_per_day,
        spend_cap_nanos=spend_cap_nanos,
    )
    record(Action.KEY_CREATED, workspace=workspace, target=key, key=prefix, scopes=key.scopes, **_limits(key))
    return key, f"{prefix}.{secret}"


@transaction.atomic
def limit_key(
    key: ApiKey, *, burst_per_minute: int | None, requests_per_day: int | None, spend_cap_nanos: int | None
) -> None:
    """Change what the key may use. A cap holds from now on, also for what is spent of the month already."""
    limits: dict[str, Any] = {
        "burst_per_minute": burst_per_minute,
        "requests_per_day": requests_per_day,
        "spend_cap_nanos": spend_cap_nanos,
    }
    if ApiKey.objects.in_workspace(key.workspace_id).filter(pk=key.pk, revoked_at=None).update(**limits):
        record(Action.KEY_LIMITED, workspace=key.workspace_id, target=key, key=key.prefix, **limits)
    budgets.apply_limits(key.workspace_id)
    retire_on_commit()


@transaction.atomic
def revoke_key(key: ApiKey) -> None:
    active = ApiKey.objects.in_workspace(key.workspace_id).filter(pk=key.pk, revoked_at=None)
    if active.update(revoked_at=timezone.now()):
        record(Action.KEY_REVOKED, workspace=key.workspace_id, target=key, key=key.prefix)
    retire_on_commit()


def _limits(key: ApiKey) -> dict[str, Any]:
    named = {name: getattr(key, name) for name in ("burst_per_minute", "requests_per_day", "spend_cap_nanos")}
    return {name: value for name, value in named.items() if value is not None}
