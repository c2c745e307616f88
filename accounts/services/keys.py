from __future__ import annotations

import secrets

from django.db import transaction
from django.utils import timezone

from accounts import budgets
from accounts.authentication import secret_digest
from accounts.models import ApiKey, Scope, User, Workspace
from accounts.retiring import retire_on_commit

KEY_START = "co_"  # lets secret scanners find a leaked key


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
    return key, f"{prefix}.{secret}"


@transaction.atomic
def limit_key(
    key: ApiKey, *, burst_per_minute: int | None, requests_per_day: int | None, spend_cap_nanos: int | None
) -> None:
    """Change what the key may use. A cap holds from now on, also for what is spent of the month already."""
    ApiKey.objects.in_workspace(key.workspace_id).filter(pk=key.pk, revoked_at=None).update(
        burst_per_minute=burst_per_minute, requests_per_day=requests_per_day, spend_cap_nanos=spend_cap_nanos
    )
    budgets.apply_limits(key.workspace_id)
    retire_on_commit()


@transaction.atomic
def revoke_key(key: ApiKey) -> None:
    ApiKey.objects.in_workspace(key.workspace_id).filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now())
    retire_on_commit()
