from __future__ import annotations

from accounts.models.audit import Action, AuditEntry
from accounts.models.idempotency import IdempotentRequest
from accounts.models.invitations import Invitation
from accounts.models.money import Budget, Reservation, UsageEntry
from accounts.models.notices import Notice
from accounts.models.plans import LimitStep, Plan, Platform, Tier
from accounts.models.retiring import Retirement
from accounts.models.rights import Archive, ArchivePart, Deletion, Retention
from accounts.models.sign_in import Impersonation, KnownDevice
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
    "Action",
    "ApiKey",
    "Archive",
    "ArchivePart",
    "AuditEntry",
    "Budget",
    "CountedProduct",
    "Deletion",
    "IdempotentRequest",
    "Impersonation",
    "Invitation",
    "KnownDevice",
    "LimitStep",
    "Membership",
    "Notice",
    "Plan",
    "Platform",
    "Reconciliation",
    "Reservation",
    "Retention",
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
