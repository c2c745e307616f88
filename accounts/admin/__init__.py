"""The staff admin, accounts' part. Actions call services; history is read-only."""

from __future__ import annotations

from accounts.admin.audit import ArchiveAdmin, AuditEntryAdmin, DeletionAdmin
from accounts.admin.money import BudgetAdmin, PlatformAdmin, ReconciliationAdmin, ReservationAdmin, UsageEntryAdmin
from accounts.admin.rows import AcrossWorkspaces, HistoryAdmin, InDollars, ReadOnly
from accounts.admin.tenants import ApiKeyAdmin, PlanAdmin, UserAdmin, WorkspaceAdmin

__all__ = [
    "AcrossWorkspaces",
    "ApiKeyAdmin",
    "ArchiveAdmin",
    "AuditEntryAdmin",
    "BudgetAdmin",
    "DeletionAdmin",
    "HistoryAdmin",
    "InDollars",
    "PlanAdmin",
    "PlatformAdmin",
    "ReadOnly",
    "ReconciliationAdmin",
    "ReservationAdmin",
    "UsageEntryAdmin",
    "UserAdmin",
    "WorkspaceAdmin",
]
