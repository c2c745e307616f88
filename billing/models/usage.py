from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.models import TenantQuerySet, Workspace, WorkspaceOwned


class UsageReport(WorkspaceOwned):
    """Products beyond the month's, on their way to Stripe's meter. The row's id is the meter event's identifier, which
    Stripe takes once; what it counts is read from our ledger, which stays the truth."""

    class State(models.TextChoices):
        WAITING = "waiting", "To be sent"
        SENT = "sent", "Sent"
        STALE = "stale", "Too old to be sent again unseen"

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="usage_reports")
    period_start = models.DateTimeField(help_text="Of the month it counts in.")
    products = models.PositiveIntegerField()
    occurred_at = models.DateTimeField(db_default=Now())
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    first_tried_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    failure = models.CharField(max_length=300, blank=True)

    objects = TenantQuerySet["UsageReport"].as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(products__gt=0), name="usage_report_counts_something"),
            models.CheckConstraint(
                condition=Q(state__in=("waiting", "sent", "stale")), name="usage_report_known_state"
            ),
        ]
        indexes = [models.Index(fields=("occurred_at",), name="usage_to_report", condition=Q(state="waiting"))]
