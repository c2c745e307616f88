"""The staff admin, generation's part: what runs, what is stuck, what it costs, and the switches."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet, Sum
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html_join
from unfold.admin import ModelAdmin

from accounts.admin import AcrossWorkspaces, ReadOnly, WorkspaceAdmin
from accounts.models import Workspace
from contentopt.jobs import JobState
from generation.models import Catalogue, LlmCall, LlmModel, Provider, Run, RunItem, Text
from generation.services.runs import requeue_items
from generation.services.usage import usage_since

DOLLAR = 1_000_000_000


def dollars(nanos: int | None) -> str:
    return f"${(nanos or 0) / DOLLAR:,.4f}"


class HistoryAdmin(AcrossWorkspaces, ReadOnly, ModelAdmin):  # type: ignore[misc]
    """What happened, newest first; nobody edits it."""

    list_select_related: Any = ("workspace",)
    show_full_result_count = False
    list_per_page = 50

    def has_view_permission(self, request: HttpRequest, _obj: Any = None) -> bool:
        return bool(request.user.is_staff)


admin.site.unregister(Workspace)


@admin.register(Workspace)
class WorkspaceWithWorkAdmin(WorkspaceAdmin):
    """A workspace with what it did: texts, cost and runs of the last 30 days, and the way to all of them."""

    list_display = (*WorkspaceAdmin.list_display, "last_30_days")
    fields = (*WorkspaceAdmin.fields, "last_30_days", "work")
    readonly_fields = (*WorkspaceAdmin.readonly_fields, "last_30_days", "work")

    @admin.display(description="Last 30 days")
    def last_30_days(self, workspace: Workspace) -> str:
        usage = usage_since(workspace, days=30)
        return f"{usage.texts} texts, {usage.free} of them free, {dollars(usage.cost_nanos)}"

    @admin.display(description="Work")
    def work(self, workspace: Workspace) -> str:
        pages = {"Imports": "catalogue", "Runs": "run", "Items": "runitem", "Texts": "text", "Model calls": "llmcall"}
        links = (
            (f"{reverse(f'admin:generation_{model}_changelist')}?workspace__id__exact={workspace.pk}", name)
            for name, model in pages.items()
        )
        return format_html_join(" · ", '<a href="{}">{}</a>', links)


@admin.register(Provider)
class ProviderAdmin(ModelAdmin):  # type: ignore[misc]
    list_display = ("name", "kind", "is_enabled")
    list_editable = ("is_enabled",)
    readonly_fields = ("slug", "kind")

    def has_delete_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return False


@admin.register(LlmModel)
class LlmModelAdmin(ModelAdmin):  # type: ignore[misc]
    list_display = ("model_id", "provider", "tier", "is_default", "is_enabled", "price_version")
    list_editable = ("is_enabled",)
    list_filter = ("provider", "tier", "is_enabled")
    list_select_related = ("provider",)
    search_fields = ("model_id",)

    def has_delete_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return False


@admin.register(Catalogue)
class CatalogueAdmin(HistoryAdmin):
    list_display = ("filename", "workspace", "status", "format", "row_count", "product_count", "created_at")
    list_filter = ("status", "format", "is_sample")
    search_fields = ("filename", "workspace__slug", "workspace__name")


@admin.register(Run)
class RunAdmin(HistoryAdmin):
    list_display = ("id", "workspace", "state", "item_count", "done", "failed", "cost", "created_at")
    list_filter = ("state",)
    search_fields = ("workspace__slug", "workspace__name", "id")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Run]:
        runs: QuerySet[Run] = super().get_queryset(request)
        return runs.annotate(
            done_count=Count("items", Q(items__state=JobState.DONE), distinct=True),
            failed_count=Count("items", Q(items__state=JobState.FAILED), distinct=True),
        )

    @admin.display(description="Done")
    def done(self, run: Any) -> int:
        count: int = run.done_count
        return count

    @admin.display(description="Failed")
    def failed(self, run: Any) -> int:
        count: int = run.failed_count
        return count

    @admin.display(description="Cost")
    def cost(self, run: Run) -> str:
        calls = LlmCall.objects.in_workspace(run.workspace_id).filter(run_item__run=run)
        return dollars(calls.aggregate(sum=Sum("cost_nanos"))["sum"])


class StuckFilter(admin.SimpleListFilter):
    title = "attention"
    parameter_name = "attention"

    def lookups(self, _request: HttpRequest, _model_admin: Any) -> list[tuple[str, str]]:
        return [("stuck", "Stuck or retrying"), ("failed", "Failed")]

    def queryset(self, _request: HttpRequest, items: QuerySet[RunItem]) -> QuerySet[RunItem]:
        if self.value() == "stuck":
            return items.filter(state__in=(JobState.QUEUED, JobState.RUNNING), attempt__gte=1)
        if self.value() == "failed":
            return items.filter(state=JobState.FAILED)
        return items


@admin.register(RunItem)
class RunItemAdmin(HistoryAdmin):
    list_display = ("product", "workspace", "state", "attempt", "next_run_at", "lease_until", "failure")
    list_filter = (StuckFilter, "state")
    list_select_related = ("workspace", "product")
    search_fields = ("workspace__slug", "product__title", "run__id")
    actions = ("try_again",)

    @admin.action(description="Queue again, with a fresh set of attempts")
    def try_again(self, request: HttpRequest, items: QuerySet[RunItem]) -> None:
        self.message_user(request, f"{requeue_items(items)} items queued.", messages.SUCCESS)


@admin.register(Text)
class TextAdmin(HistoryAdmin):
    list_display = ("__str__", "workspace", "source", "model_id", "cost", "created_at")
    list_filter = ("source", "provider")
    search_fields = ("workspace__slug", "product__title")

    @admin.display(description="Cost")
    def cost(self, text: Text) -> str:
        return dollars(text.cost_nanos)


@admin.register(LlmCall)
class LlmCallAdmin(HistoryAdmin):
    list_display = (
        "created_at",
        "workspace",
        "model_id",
        "outcome",
        "error_kind",
        "input_tokens",
        "cached_tokens",
        "output_tokens",
        "cost",
        "latency_ms",
    )
    list_filter = ("outcome", "provider", "model_id", "error_kind")
    search_fields = ("workspace__slug", "provider_request_id")
    date_hierarchy = "created_at"

    @admin.display(description="Cost")
    def cost(self, call: LlmCall) -> str:
        return dollars(call.cost_nanos)
