from __future__ import annotations

from accounts.models.idempotency import IdempotentRequest
from accounts.models.money import Budget, Reservation, UsageEntry
from accounts.models.notices import Notice
from accounts.models.plans import LimitStep, Plan, Platform, Tier
from accounts.models.retiring import Retirement
from accounts.models.tenants import (
    PLATFORM_WORKSPACE_ID,
    ApiKey,
    Membership,
    Role,
    Scope,
    Standing,
    TenantQuerySet,
    User,
    Workspace,
    WorkspaceOwned,
    WorkspaceRequired,
)
from accounts.models.usage import CountedProduct, Reconciliation, RollupMark, UsagePeriod, UsageRollup

__all__ = [
    "PLATFORM_WORKSPACE_ID",
    "ApiKey",
    "Budget",
    "CountedProduct",
    "IdempotentRequest",
    "LimitStep",
    "Membership",
    "Notice",
    "Plan",
    "Platform",
    "Reconciliation",
    "Reservation",
    "Retirement",
    "Role",
    "RollupMark",
    "Scope",
    "Standing",
    "TenantQuerySet",
    "Tier",
    "UsageEntry",
    "UsagePeriod",
    "UsageRollup",
    "User",
    "Workspace",
    "WorkspaceOwned",
    "WorkspaceRequired",
]
