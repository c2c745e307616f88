from __future__ import annotations

from django.contrib import admin
from django.template.defaultfilters import filesizeformat

from accounts.admin.rows import HistoryAdmin
from accounts.models import Archive, AuditEntry, Deletion


@admin.register(AuditEntry)
class AuditEntryAdmin(HistoryAdmin):
    """Who did what, of all workspaces; the platform's own workspace holds what concerns the platform."""

    list_display = ("created_at", "workspace", "what", "actor", "user_id", "address", "said")
    list_filter = ("actor",)
    search_fields = ("workspace__slug", "workspace__name", "action", "user_id", "target_id")
    date_hierarchy = "created_at"

    @admin.display(description="What", ordering="action")
    def what(self, entry: AuditEntry) -> str:
        return entry.words

    @admin.display(description="Details")
    def said(self, entry: AuditEntry) -> str:
        return "; ".join(f"{name}: {value}" for name, value in entry.facts)


@admin.register(Archive)
class ArchiveAdmin(HistoryAdmin):
    list_display = ("created_at", "workspace", "state", "percent", "size", "attempt", "expires_at", "failure")
    list_filter = ("state",)
    search_fields = ("workspace__slug", "workspace__name")

    @admin.display(description="Size", ordering="size_bytes")
    def size(self, archive: Archive) -> str:
        return filesizeformat(archive.size_bytes)


@admin.register(Deletion)
class DeletionAdmin(HistoryAdmin):
    """Workspaces that are to go, and those that were restored. What is gone stands in the platform's audit log."""

    list_display = ("created_at", "workspace", "state", "erases_at", "next_run_at", "attempt", "failure")
    list_filter = ("state",)
    search_fields = ("workspace__slug", "workspace__name")
    ordering = ("erases_at",)
