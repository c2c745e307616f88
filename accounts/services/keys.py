from __future__ import annotations

import secrets

from django.utils import timezone

from accounts.authentication import secret_digest
from accounts.models import ApiKey, Scope, User, Workspace

KEY_START = "co_"  # lets secret scanners find a leaked key


def issue_key(
    *, workspace: Workspace, name: str, scopes: list[str], created_by: User | None = None
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
    )
    return key, f"{prefix}.{secret}"


def revoke_key(key: ApiKey) -> None:
    ApiKey.objects.in_workspace(key.workspace_id).filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now())
