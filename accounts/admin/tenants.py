from __future__ import annotations

from typing import Any

import django.contrib.auth.admin  # noqa: F401  (registers Group, which is taken away below)
from django.contrib import admin, messages
from django.contrib.auth.models import Group
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline

from accounts import budgets
from accounts.admin.rows import AcrossWorkspaces, InDollars, ReadOnly, limit
from accounts.emails import queue_again
from accounts.models import ApiKey, LimitStep, Membership, Notice, Plan, User, Workspace
from accounts.services.keys import revoke_key
from accounts.services.workspaces import change_plan

admin.site.unregister(Group)  # roles are ours


class MembershipInline(AcrossWorkspaces, ReadOnly, TabularInline):  # type: ignore[misc]
    model = Membership
    fields = readonly_fields = ("user", "role", "created_at")
    extra = 0


class ApiKeyInline(AcrossWorkspaces, ReadOnly, TabularInline):  # type: ignore[misc]
    model = ApiKey
    fields = readonly_fields = (
        "name",
        "prefix",
        "scopes",
        "burst_per_minute",
        "requests_per_day",
        "spend_cap",
        "created_at",
        "last_used_at",
        "expires_at",
        "revoked_at",
    )
    extra = 0

    @admin.display(description="Spend cap a month")
    def spend_cap(self, key: ApiKey) -> str:
        return limit(key.spend_cap_nanos)


@admin.register(User)
class UserAdmin(ModelAdmin):  # type: ignore[misc]
    list_display = ("email", "is_active", "is_staff", "date_joined", "last_login")
    list_filter = ("is_active", "is_staff")
    search_fields = ("email",)
    fields = ("email", "is_active", "is_staff", "is_superuser", "date_joined", "last_login")
    readonly_fields = ("date_joined", "last_login")

    def has_add_permission(self, _request: HttpRequest) -> bool:
        return False  # people sign up


class LimitStepInline(TabularInline):  # type: ignore[misc]
    model = LimitStep
    extra = 0


@admin.register(Plan)
class PlanAdmin(InDollars, ModelAdmin):  # type: ignore[misc]
    """What is saved here holds at once, for the current budgets of its workspaces too."""

    list_display = (
        "name",
        "slug",
        "products_per_month",
        "burst_per_minute",
        "requests_per_day",
        "spend_cap",
        "is_public",
        "workspace_count",
    )
    inlines = (LimitStepInline,)
    dollar_help = {
        "spend_cap_nanos": "US dollars of model spend a month, of each workspace. Empty means no limit.",
        "trial_spend_cap_nanos": "The same while the plan is tried free.",
    }

    def get_readonly_fields(self, _request: HttpRequest, plan: Plan | None = None) -> tuple[str, ...]:
        return ("slug",) if plan else ()  # the key: another one would make another plan

    def save_model(self, request: HttpRequest, plan: Plan, form: Any, change: bool) -> None:
        super().save_model(request, plan, form, change)
        if followed := budgets.apply_limits():
            self.message_user(request, f"{followed} current budgets have a new limit.", messages.INFO)

    @admin.display(description="Spend cap a month", ordering="spend_cap_nanos")
    def spend_cap(self, plan: Plan) -> str:
        return limit(plan.spend_cap_nanos)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Plan]:
        plans: QuerySet[Plan] = super().get_queryset(request).annotate(workspace_total=Count("workspaces"))
        return plans

    @admin.display(description="Workspaces")
    def workspace_count(self, plan: Any) -> int:
        total: int = plan.workspace_total
        return total


@admin.register(Workspace)
class WorkspaceAdmin(InDollars, ModelAdmin):  # type: ignore[misc]
    """Find a workspace; change its plan. Its usage, cost and runs are on generation's pages, linked by filter."""

    list_display: Any = ("name", "slug", "plan", "standing", "owners", "created_at")
    list_filter = ("plan", "standing")
    search_fields = ("name", "slug", "memberships__user__email")
    list_select_related = ("plan",)
    readonly_fields: Any = ("id", "slug", "created_at")
    fields: Any = ("name", "plan", "standing", "spend_cap_nanos", "night_cap_nanos", "slug", "id", "created_at")
    inlines = (MembershipInline, ApiKeyInline)
    dollar_help = {
        "spend_cap_nanos": "US dollars of model spend a month, set by the owner. The plan's cap holds as well; the "
        "lower one counts. Empty means the plan's alone.",
        "night_cap_nanos": "US dollars a night may spend on texts nobody has asked for yet. Empty: none.",
    }

    def save_model(self, request: HttpRequest, workspace: Workspace, form: Any, change: bool) -> None:
        super().save_model(request, workspace, form, change)
        change_plan(
            workspace=workspace,
            plan=workspace.plan,
            standing=workspace.standing,
            billing_cap_nanos=workspace.billing_cap_nanos,
        )

    @admin.display(description="Owners")
    def owners(self, workspace: Workspace) -> str:
        return ", ".join(m.user.email for m in workspace.memberships.filter(role="owner").select_related("user"))

    def has_add_permission(self, _request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return False


@admin.register(ApiKey)
class ApiKeyAdmin(AcrossWorkspaces, ReadOnly, ModelAdmin):  # type: ignore[misc]
    list_display = ("prefix", "name", "workspace", "scopes", "last_used_at", "expires_at", "revoked_at")
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


@admin.register(Notice)
class NoticeAdmin(AcrossWorkspaces, ReadOnly, ModelAdmin):  # type: ignore[misc]
    list_display = ("topic", "workspace", "kind", "state", "attempt", "failure", "created_at", "closed_at")
    list_filter = ("kind", "state")
    list_select_related = ("workspace",)
    search_fields = ("topic", "workspace__slug", "workspace__name")
    show_full_result_count = False
    actions = ("send_again",)

    @admin.action(description="Send the selected notices again")
    def send_again(self, request: HttpRequest, notices: QuerySet[Notice]) -> None:
        for notice in notices:
            queue_again(notice)
        self.message_user(request, f"{len(notices)} notices will be mailed again, to everybody.", messages.SUCCESS)

    def has_view_permission(self, request: HttpRequest, _obj: Any = None) -> bool:
        return bool(request.user.is_staff)
