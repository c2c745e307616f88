from __future__ import annotations

from accounts.models.plans import Plan
from accounts.models.tenants import (
    ApiKey,
    Membership,
    Role,
    Scope,
    TenantQuerySet,
    User,
    Workspace,
    WorkspaceOwned,
    WorkspaceRequired,
)

__all__ = [
    "ApiKey",
    "Membership",
    "Plan",
    "Role",
    "Scope",
    "TenantQuerySet",
    "User",
    "Workspace",
    "WorkspaceOwned",
    "WorkspaceRequired",
]
