"""What runs, what is stuck, and what it costs."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html_join

from accounts.admin import HistoryAdmin, WorkspaceAdmin
from accounts.dollars import round_usd
from accounts.models import Workspace
from contentopt.jobs import JobState
from generation.admin.caching import purge_workspaces
from generation.models import BatchPart, Catalogue, Comment, LlmBatch, LlmCall, Run, RunItem, Text
from generation.services.explaining import Nearest, explain
from generation.services.runs import requeue_items
from generation.services.usage import usage_since

WORK = {
    "Imports": "generation_catalogue",
    "Runs": "generation_run",
    "Items": "generation_runitem",
    "Texts": "generation_text",
    "Cached texts": "generation_cachedtext",
    "Cached templates": "generation_cachedtemplate",
    "Nights": "generation_night",
    "Batches": "generation_llmbatch",
    "Model calls": "generation_llmcall",
    "Budgets": "accounts_budget",
    "Ledger": "accounts_usageentry",
}

admin.site.unregister(Workspace)


@admin.register(Workspace)
class WorkspaceWithWorkAdmin(WorkspaceAdmin):
    """A workspace with what it did: texts, cost and runs of the last 30 days, and the way to all of them."""

    list_display = (*WorkspaceAdmin.list_display, "last_30_days")
    fields = (*WorkspaceAdmin.fields, "last_30_days", "work")
    readonly_fields = (*WorkspaceAdmin.readonly_fields, "last_30_days", "work")
    actions = ("purge_cache",)

    @admin.action(description="Purge the whole cache of the selected workspaces …")
    def purge_cache(self, request: HttpRequest, workspaces: QuerySet[Workspace]) -> HttpResponse | None:
        return purge_workspaces(request, workspaces)

    @admin.display(description="Last 30 days")
    def last_30_days(self, workspace: Workspace) -> str:
        usage = usage_since(workspace, days=30)
        return f"{usage.texts} texts, {usage.free} of them free, {round_usd(usage.cost_nanos)}"

    @admin.display(description="Work")
    def work(self, workspace: Workspace) -> str:
        links = (
            (f"{reverse(f'admin:{model}_changelist')}?workspace__id__exact={workspace.pk}", name)
            for name, model in WORK.items()
        )
        return format_html_join(" · ", '<a href="{}">{}</a>', links)


@admin.register(Catalogue)
class CatalogueAdmin(HistoryAdmin):
    own_words = ("filename",)
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
        return round_usd(calls.aggregate(sum=Sum("cost_nanos"))["sum"])


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
    own_words = ("product",)
    list_display = ("product", "workspace", "state", "attempt", "next_run_at", "lease_until", "failure")
    list_filter = (StuckFilter, "state")
    list_select_related = ("workspace", "product")
    search_fields = ("workspace__slug", "product__title", "run__id")
    actions = ("try_again",)

    @admin.action(description="Queue again, with a fresh set of attempts")
    def try_again(self, request: HttpRequest, items: QuerySet[RunItem]) -> None:
        self.message_user(request, f"{requeue_items(items)} items queued.", messages.SUCCESS)


def _told(nearest: Nearest) -> str:
    differences = (f"{d.label}: {d.there or 'nothing'} there, {d.here or 'nothing'} here" for d in nearest.differences)
    return "; ".join(differences) or "made by the offline writer or under older rules"


@admin.register(Text)
class TextAdmin(HistoryAdmin):
    own_words = ("__str__",)
    list_display = ("__str__", "workspace", "source", "state", "model_id", "cost", "created_at")
    list_filter = ("state", "source", "provider")
    search_fields = ("workspace__slug", "product__title")
    exclude = ("explanation",)
    readonly_fields = ("way", "nearest")

    @admin.display(description="Where it came from")
    def way(self, text: Text) -> str:
        steps = ((step["layer"], step["outcome"], step["reason"]) for step in text.explanation)
        return format_html_join("", "<b>{}</b> {}: {}<br>", steps) or "No layer was asked."

    @admin.display(description="Nearest known texts")
    def nearest(self, text: Text) -> str:
        rows = ((near.title, f"{near.written_at:%Y-%m-%d %H:%M}", _told(near)) for near in explain(text).nearest)
        return format_html_join("", "<b>{}</b> ({}): {}<br>", rows) or "None to compare with."

    @admin.display(description="Cost")
    def cost(self, text: Text) -> str:
        return round_usd(text.cost_nanos)


@admin.register(Comment)
class CommentAdmin(HistoryAdmin):
    own_words = ("__str__",)
    list_display = ("__str__", "workspace", "created_by", "api_key", "created_at", "edited_at")
    list_select_related = ("workspace", "created_by", "api_key")
    search_fields = ("workspace__slug", "created_by__email")


@admin.register(LlmBatch)
class LlmBatchAdmin(HistoryAdmin):
    """What is with providers, since when, and what waiting for it saved."""

    list_display = ("created_at", "workspace", "model_id", "stage", "answered", "submitted_at", "saved", "failure")
    list_filter = ("stage", "provider", "model_id")
    search_fields = ("workspace__slug", "vendor_id", "run__id", "night__id")
    list_select_related = ("workspace",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[LlmBatch]:
        answered = Count("parts", ~Q(parts__state__in=BatchPart.PENDING))
        batches: QuerySet[LlmBatch] = super().get_queryset(request)
        return batches.annotate(answered=answered, saved_nanos=Sum("parts__saved_nanos"))

    @admin.display(description="Answered")
    def answered(self, batch: Any) -> str:
        return f"{batch.answered} of {batch.part_count}" if batch.part_count else "Not sent"

    @admin.display(description="Saved")
    def saved(self, batch: Any) -> str:
        return round_usd(batch.saved_nanos)


@admin.register(LlmCall)
class LlmCallAdmin(HistoryAdmin):
    list_display = (
        "created_at",
        "workspace",
        "model_id",
        "task",
        "outcome",
        "error_kind",
        "input_tokens",
        "cached_tokens",
        "output_tokens",
        "cost",
        "latency_ms",
    )
    list_filter = ("outcome", "task", "provider", "model_id", "error_kind")
    search_fields = ("workspace__slug", "provider_request_id")
    date_hierarchy = "created_at"

    @admin.display(description="Cost")
    def cost(self, call: LlmCall) -> str:
        return round_usd(call.cost_nanos)
