from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from contentopt.jobs import Job, JobState


class BillingEvent(Job):
    """A ring of Stripe's doorbell, kept as it came. It says that something happened to somebody; what, is read from the
    API by whoever answers. Whose it is turns out then, so it belongs to no workspace."""

    endpoint = models.CharField(max_length=64, help_text="The same event comes once to each endpoint.")
    event_id = models.CharField(max_length=64)
    type = models.CharField(max_length=100)
    object_id = models.CharField(max_length=64, blank=True)
    object_url = models.CharField(max_length=300, blank=True, help_text="Where a thin event's object is read.")
    customer_id = models.CharField(max_length=64, blank=True, help_text="Empty until it is known.")
    api_version = models.CharField(max_length=40, blank=True)
    body = models.TextField()
    received_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("-received_at",)
        constraints = [models.UniqueConstraint(fields=("endpoint", "event_id"), name="event_once_per_endpoint")]
        indexes = [
            models.Index(fields=("-received_at",), name="event_newest"),
            models.Index(
                fields=("next_run_at",),
                name="event_to_process",
                condition=Q(state__in=(JobState.QUEUED, JobState.RUNNING)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} ({self.event_id})"
