"""Payment as staff see it: nothing is edited here, for Stripe says what is. Events can be acted on again."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from accounts.admin.rows import HistoryAdmin, ReadOnly
from billing.inbox import replay
from billing.models import BillingAccount, BillingEvent, Subscription, UsageReport
from billing.reconciling import sync_all


@admin.register(BillingEvent)
class BillingEventAdmin(ReadOnly, ModelAdmin):  # type: ignore[misc]
    list_display = ("type", "event_id", "customer_id", "state", "attempt", "failure", "received_at")
    list_filter = ("state", "type")
    search_fields = ("event_id", "object_id", "customer_id")
    show_full_result_count = False
    list_per_page = 50
    actions = ("process_again",)

    @admin.action(description="Process the selected events again")
    def process_again(self, request: HttpRequest, events: QuerySet[BillingEvent]) -> None:
        for event in events:
            replay(event)
        self.message_user(request, f"{len(events)} events are on their way again.", messages.SUCCESS)

    def has_view_permission(self, request: HttpRequest, _obj: BillingEvent | None = None) -> bool:
        return bool(request.user.is_staff)


@admin.register(BillingAccount)
class BillingAccountAdmin(HistoryAdmin):
    list_display = ("workspace", "customer_id", "is_disputed", "is_refunded", "synced_at")
    list_filter = ("is_disputed", "is_refunded")
    search_fields = ("customer_id", "workspace__slug", "workspace__name")
    actions = ("read_again",)

    @admin.action(description="Read the selected customers from Stripe")
    def read_again(self, request: HttpRequest, accounts: QuerySet[BillingAccount]) -> None:
        wanted = list(accounts.exclude(customer_id=None))
        read = sync_all(wanted)
        level = messages.SUCCESS if read == len(wanted) else messages.WARNING
        self.message_user(request, f"{read} of {len(wanted)} were read.", level)


@admin.register(Subscription)
class SubscriptionAdmin(HistoryAdmin):
    list_display = ("workspace", "subscription_id", "status", "is_live", "plan", "interval", "seats", "period_end")
    list_filter = ("status", "is_live", "plan", "interval")
    list_select_related = ("workspace", "plan")
    search_fields = ("subscription_id", "workspace__slug", "workspace__name")


@admin.register(UsageReport)
class UsageReportAdmin(HistoryAdmin):
    list_display = ("workspace", "products", "state", "occurred_at", "sent_at", "failure")
    list_filter = ("state",)
    search_fields = ("workspace__slug",)
