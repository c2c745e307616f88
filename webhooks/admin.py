from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import TabularInline

from accounts.admin.rows import AcrossWorkspaces, HistoryAdmin, ReadOnly
from contentopt.errors import DomainError
from webhooks.models import Attempt, Delivery, Endpoint
from webhooks.services import replay


@admin.register(Endpoint)
class EndpointAdmin(HistoryAdmin):
    list_display = ("workspace", "url", "state", "event_types", "failures", "failing_since", "created_at")
    list_filter = ("state",)
    search_fields = ("url", "workspace__slug", "workspace__name")
    exclude = ("secret", "old_secret")


class AttemptInline(AcrossWorkspaces, ReadOnly, TabularInline):  # type: ignore[misc]
    model = Attempt
    fields = readonly_fields = ("created_at", "status", "error", "response", "seconds")
    extra = 0


@admin.register(Delivery)
class DeliveryAdmin(HistoryAdmin):
    list_display = ("workspace", "event", "endpoint", "state", "attempt", "next_run_at", "failure", "created_at")
    list_filter = ("state",)
    list_select_related: Any = ("workspace", "event", "endpoint")
    search_fields = ("workspace__slug", "endpoint__url", "event__id")
    exclude = ("lease_token",)
    inlines = (AttemptInline,)
    actions = ("send_again",)

    @admin.action(description="Send the selected deliveries again")
    def send_again(self, request: HttpRequest, deliveries: QuerySet[Delivery]) -> None:
        sent, refused = 0, ""
        for delivery in deliveries.select_related("endpoint", "event"):
            try:
                replay(delivery)
                sent += 1
            except DomainError as error:
                refused = error.message
        level = messages.WARNING if refused else messages.SUCCESS
        self.message_user(request, f"{sent} are on their way again. {refused}", level)
