"""The staff admin, accounts' part. Actions call services; history is read-only."""

from __future__ import annotations

from accounts.admin.audit import ArchiveAdmin, AuditEntryAdmin, DeletionAdmin
from accounts.admin.impersonation import ImpersonationAdmin
from accounts.admin.money import BudgetAdmin, PlatformAdmin, ReconciliationAdmin, ReservationAdmin, UsageEntryAdmin
from accounts.admin.rows import AcrossWorkspaces, HistoryAdmin, InDollars, ReadOnly
from accounts.admin.sign_in import FactorAdmin, SessionAdmin
from accounts.admin.tenants import ApiKeyAdmin, PlanAdmin, UserAdmin, WorkspaceAdmin

__all__ = [
    "AcrossWorkspaces",
    "ApiKeyAdmin",
    "ArchiveAdmin",
    "AuditEntryAdmin",
    "BudgetAdmin",
    "DeletionAdmin",
    "FactorAdmin",
    "HistoryAdmin",
    "ImpersonationAdmin",
    "InDollars",
    "PlanAdmin",
    "PlatformAdmin",
    "ReadOnly",
    "ReconciliationAdmin",
    "ReservationAdmin",
    "SessionAdmin",
    "UsageEntryAdmin",
    "UserAdmin",
    "WorkspaceAdmin",
]
