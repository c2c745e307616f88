from __future__ import annotations

from django.contrib import admin

from accounts.admin.rows import HistoryAdmin
from accounts.models import AuditEntry


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
