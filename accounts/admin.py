"""The staff admin, accounts' part. Actions call services; history is read-only."""

from __future__ import annotations

from typing import Any

import django.contrib.auth.admin  # noqa: F401  (registers Group, which is taken away below)
from django.contrib import admin, messages
from django.contrib.auth.models import Group
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline

from accounts.models import ApiKey, Membership, Plan, User, Workspace
from accounts.services.keys import revoke_key

admin.site.unregister(Group)  # roles are ours


class AcrossWorkspaces:
    """Staff look across workspaces, on purpose."""

    model: Any

    def get_queryset(self, _request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = self.model.objects.across_workspaces()
        return rows


class ReadOnly:
    """Rows staff read and never write."""

    def has_add_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return False

    def has_change_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return False


class MembershipInline(AcrossWorkspaces, ReadOnly, TabularInline):  # type: ignore[misc]
    model = Membership
    fields = readonly_fields = ("user", "role", "created_at")
    extra = 0


class ApiKeyInline(AcrossWorkspaces, ReadOnly, TabularInline):  # type: ignore[misc]
    model = ApiKey
    fields = readonly_fields = ("name", "prefix", "scopes", "created_at", "last_used_at", "revoked_at")
    extra = 0


@admin.register(User)
class UserAdmin(ModelAdmin):  # type: ignore[misc]
    list_display = ("email", "is_active", "is_staff", "date_joined", "last_login")
    list_filter = ("is_active", "is_staff")
    search_fields = ("email",)
    fields = ("email", "is_active", "is_staff", "is_superuser", "date_joined", "last_login")
    readonly_fields = ("date_joined", "last_login")

    def has_add_permission(self, _request: HttpRequest) -> bool:
        return False  # people sign up


@admin.register(Plan)
class PlanAdmin(ModelAdmin):  # type: ignore[misc]
    list_display = (
        "name",
        "slug",
        "products_per_month",
        "burst_per_minute",
        "requests_per_day",
        "is_public",
        "workspace_count",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Plan]:
        plans: QuerySet[Plan] = super().get_queryset(request).annotate(workspace_total=Count("workspaces"))
        return plans

    @admin.display(description="Workspaces")
    def workspace_count(self, plan: Any) -> int:
        total: int = plan.workspace_total
        return total


@admin.register(Workspace)
class WorkspaceAdmin(ModelAdmin):  # type: ignore[misc]
    """Find a workspace; change its plan. Its usage, cost and runs are on generation's pages, linked by filter."""

    list_display: Any = ("name", "slug", "plan", "owners", "created_at")
    list_filter = ("plan",)
    search_fields = ("name", "slug", "memberships__user__email")
    list_select_related = ("plan",)
    readonly_fields: Any = ("id", "slug", "created_at")
    fields: Any = ("name", "plan", "slug", "id", "created_at")
    inlines = (MembershipInline, ApiKeyInline)

    @admin.display(description="Owners")
    def owners(self, workspace: Workspace) -> str:
        return ", ".join(m.user.email for m in workspace.memberships.filter(role="owner").select_related("user"))

    def has_add_permission(self, _request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return False


@admin.register(ApiKey)
class ApiKeyAdmin(AcrossWorkspaces, ReadOnly, ModelAdmin):  # type: ignore[misc]
    list_display = ("prefix", "name", "workspace", "scopes", "last_used_at", "revoked_at")
    list_select_related = ("workspace",)
    search_fields = ("prefix", "name", "workspace__slug")
    actions = ("revoke",)

    @admin.action(description="Revoke the selected keys")
    def revoke(self, request: HttpRequest, keys: QuerySet[ApiKey]) -> None:
        for key in keys:
            revoke_key(key)
        self.message_user(request, f"{len(keys)} keys revoked.", messages.SUCCESS)

    def has_view_permission(self, request: HttpRequest, _obj: Any = None) -> bool:
        return bool(request.user.is_staff)
