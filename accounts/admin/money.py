from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest
from django.utils.html import format_html_join
from unfold.admin import ModelAdmin
from unfold.decorators import display

from accounts import budgets
from accounts.admin.rows import HistoryAdmin, InDollars, ReadOnly, limit
from accounts.dollars import round_usd, usd
from accounts.models import Budget, Platform, Reconciliation, Reservation, UsageEntry
from accounts.services.spending import apply_platform_limits, platform_today


class PlatformForm(forms.ModelForm):  # type: ignore[type-arg]
    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("is_stopped") and not cleaned.get("reason"):
            raise ValidationError({"reason": "Say why, so that the next person knows when it may go on."})
        return cleaned


@admin.register(Platform)
class PlatformAdmin(InDollars, ModelAdmin):  # type: ignore[misc]
    """The one row of it. What is saved here holds at once."""

    form = PlatformForm
    list_display = ("__str__", "day_limit", "today", "is_stopped", "reason", "updated_at")
    fields = ("day_limit_nanos", "is_stopped", "reason", "today", "updated_at")
    readonly_fields = ("today", "updated_at")
    dollar_help = {"day_limit_nanos": "US dollars of model spend a day (UTC), of everyone. Empty means no limit."}

    def save_model(self, request: HttpRequest, platform: Platform, form: Any, change: bool) -> None:
        super().save_model(request, platform, form, change)
        apply_platform_limits()

    @admin.display(description="Day limit", ordering="day_limit_nanos")
    def day_limit(self, platform: Platform) -> str:
        return limit(platform.day_limit_nanos)

    @admin.display(description="Today")
    def today(self, _platform: Platform) -> str:
        today = platform_today()
        spent, held = round_usd(today.spent_nanos), round_usd(today.held_nanos)
        return f"{spent} spent, {held} held, of {limit(today.limit_nanos).lower()}"

    def has_add_permission(self, _request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return False


class OverdrawnFilter(admin.SimpleListFilter):
    title = "attention"
    parameter_name = "attention"

    def lookups(self, _request: HttpRequest, _model_admin: Any) -> list[tuple[str, str]]:
        return [("overdrawn", "Beyond the limit"), ("current", "Current periods")]

    def queryset(self, _request: HttpRequest, found: QuerySet[Budget]) -> QuerySet[Budget]:
        if self.value() == "overdrawn":
            return found.filter(overdraft_nanos__gt=0)
        if self.value() == "current":
            return found.filter(period_end__gt=Now())
        return found


@admin.register(Budget)
class BudgetAdmin(HistoryAdmin):
    list_display = (
        "scope",
        "workspace",
        "period_start",
        "limit",
        "spent",
        "held",
        "left",
        "percent",
        "overdraft",
    )
    list_filter = (OverdrawnFilter, "scope")
    search_fields = ("workspace__slug", "workspace__name")
    ordering = ("-period_start", "workspace_id", "scope")
    fields = ("workspace", "scope", "scope_id", "period_start", "period_end", "limit", "spent", "held", "overdraft")
    readonly_fields = ("limit", "spent", "held", "overdraft")

    @admin.display(description="Limit", ordering="limit_nanos")
    def limit(self, budget: Budget) -> str:
        return limit(budget.limit_nanos)

    @admin.display(description="Spent", ordering="spent_nanos")
    def spent(self, budget: Budget) -> str:
        return round_usd(budget.spent_nanos)

    @admin.display(description="Held", ordering="reserved_nanos")
    def held(self, budget: Budget) -> str:
        return round_usd(budget.reserved_nanos)

    @admin.display(description="Left")
    def left(self, budget: Budget) -> str:
        return limit(budget.left_nanos)

    @admin.display(description="Used")
    def percent(self, budget: Budget) -> str:
        return f"{budget.percent_spent} %" if budget.limit_nanos else ""

    @admin.display(description="Beyond the limit", ordering="overdraft_nanos")
    def overdraft(self, budget: Budget) -> str:
        return round_usd(budget.overdraft_nanos) if budget.overdraft_nanos else ""


class ExpiredFilter(admin.SimpleListFilter):
    title = "attention"
    parameter_name = "attention"

    def lookups(self, _request: HttpRequest, _model_admin: Any) -> list[tuple[str, str]]:
        return [("open", "Open"), ("expired", "Open, and nobody came back for it")]

    def queryset(self, _request: HttpRequest, holds: QuerySet[Reservation]) -> QuerySet[Reservation]:
        if self.value() == "open":
            return holds.filter(state__in=Reservation.OPEN)
        if self.value() == "expired":
            return holds.filter(state__in=Reservation.OPEN, expires_at__lt=Now())
        return holds


@admin.register(Reservation)
class ReservationAdmin(HistoryAdmin):
    list_display = ("created_at", "workspace", "state", "model", "amount", "cost", "expires_at", "closed_at")
    list_filter = (ExpiredFilter, "state")
    search_fields = ("workspace__slug", "workspace__name")
    ordering = ("-expires_at",)
    actions = ("end_expired",)

    @admin.action(description="End all expired holds: never sent ones cost nothing, sent ones count at their ceiling")
    def end_expired(self, request: HttpRequest, _selected: QuerySet[Reservation]) -> None:
        self.message_user(request, f"{budgets.sweep()} expired holds ended.", messages.SUCCESS)

    @admin.display(description="Model")
    def model(self, hold: Reservation) -> str:
        return str(hold.entry.get("model_id", ""))

    @admin.display(description="Held", ordering="amount_nanos")
    def amount(self, hold: Reservation) -> str:
        return round_usd(hold.amount_nanos)

    @admin.display(description="Came to", ordering="cost_nanos")
    def cost(self, hold: Reservation) -> str:
        return round_usd(hold.cost_nanos) if hold.closed_at else ""


@admin.register(UsageEntry)
class UsageEntryAdmin(HistoryAdmin):
    list_display = (
        "occurred_at",
        "workspace",
        "basis",
        "source",
        "endpoint",
        "model_id",
        "tokens",
        "cost",
        "saved",
    )
    list_fullwidth = True
    list_filter = ("basis",)
    search_fields = ("workspace__slug", "workspace__name")
    ordering = ("-recorded_at",)  # by an index, across workspaces

    @admin.display(description="Tokens in, cached, out")
    def tokens(self, entry: UsageEntry) -> str:
        return f"{entry.input_tokens:,} · {entry.cached_tokens:,} · {entry.output_tokens:,}" if entry.calls else ""

    @admin.display(description="Cost", ordering="cost_nanos")
    def cost(self, entry: UsageEntry) -> str:
        return usd(entry.cost_nanos)

    @admin.display(description="Saved")
    def saved(self, entry: UsageEntry) -> str:
        return usd(entry.saved_nanos) if entry.saved_nanos else ""


@admin.register(Reconciliation)
class ReconciliationAdmin(ReadOnly, ModelAdmin):  # type: ignore[misc]
    list_display = ("created_at", "result", "compared")
    fields = readonly_fields = ("created_at", "result", "compared", "in_words")

    @display(description="Result", label={"Balanced": "success", "Differences": "danger"})  # type: ignore[untyped-decorator]
    def result(self, row: Reconciliation) -> tuple[str, str]:
        if row.is_balanced:
            return "Balanced", "The books balance"
        return "Differences", f"Differences: {len(row.differences)}"

    @admin.display(description="Compared")
    def compared(self, row: Reconciliation) -> str:
        return ", ".join(f"{count} {name}" for name, count in row.checked.items())

    @admin.display(description="Differences", empty_value="None")
    def in_words(self, row: Reconciliation) -> str:
        return format_html_join(
            "", "<p>{}: {}; expected {}</p>", ((d["what"], d["found"], d["expected"]) for d in row.differences)
        )

    def has_view_permission(self, request: HttpRequest, _obj: Any = None) -> bool:
        return bool(request.user.is_staff)
