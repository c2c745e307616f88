from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.models import TenantQuerySet, Workspace, WorkspaceOwned
from contentopt.jobs import Job, JobState
from generation.models.catalogues import Catalogue, Product


class Run(WorkspaceOwned):
    """What a user starts: one brief for many products. Its items are the queue."""

    class State(models.TextChoices):
        RUNNING = "running", "Running"
        PAUSED = "paused", "Paused"
        CANCELLED = "cancelled", "Cancelled"
        FINISHED = "finished", "Finished"

    OPEN = (State.RUNNING, State.PAUSED)

    class Urgency(models.TextChoices):
        """The words are the API's."""

        NOW = "now", "Now"
        LATER = "later", "Within 24 hours, at half the price"

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="runs")
    catalogue = models.ForeignKey(Catalogue, on_delete=models.CASCADE, null=True, blank=True, related_name="runs")
    brief = models.JSONField(help_text="Everything but the facts: tone, language, length, fields, …")
    state = models.CharField(max_length=10, choices=State.choices, default=State.RUNNING)
    urgency = models.CharField(max_length=5, choices=Urgency.choices, default=Urgency.NOW)
    remark = models.TextField(blank=True, help_text="What is not as it was asked for, in plain English.")
    item_count = models.PositiveIntegerField(default=0)
    ceiling_nanos = models.BigIntegerField(default=0, help_text="The most it could cost, as shown before it started.")
    cap_nanos = models.BigIntegerField(
        null=True, blank=True, help_text="What it may cost, if less than the most it could."
    )
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    api_key = models.ForeignKey("accounts.ApiKey", on_delete=models.SET_NULL, null=True, related_name="+")
    idempotency_key = models.CharField(max_length=255, null=True, blank=True)  # noqa: DJ001 (NULLs do not collide)
    request_hash = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)

    objects = TenantQuerySet["Run"].as_manager()

    class Meta:
        ordering = ("-created_at",)
        constraints = [
            models.UniqueConstraint(
                fields=("workspace", "idempotency_key"),
                condition=Q(idempotency_key__isnull=False),
                name="run_once_per_idempotency_key",
            )
        ]
        indexes = [
            models.Index(fields=("workspace", "-created_at"), name="run_newest"),
            models.Index(fields=("state",), name="run_open", condition=Q(state__in=("running", "paused"))),
        ]

    @property
    def is_open(self) -> bool:
        return self.state in self.OPEN


class RunItem(WorkspaceOwned, Job):
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="items")
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="run_items")
    position = models.PositiveIntegerField()
    waits_for = models.ForeignKey(
        "generation.BatchPart", on_delete=models.SET_NULL, null=True, blank=True, related_name="run_items"
    )

    objects = TenantQuerySet["RunItem"].as_manager()

    class Meta:
        ordering = ("position",)
        constraints = [models.UniqueConstraint(fields=("run", "product"), name="item_once_per_product")]
        indexes = [
            models.Index(fields=("run", "state", "position"), name="item_by_state"),
            # Handing out takes the next few in order, however many wait behind them.
            models.Index(
                fields=("run", "position"),
                name="item_to_hand_out",
                condition=Q(state__in=(JobState.QUEUED, JobState.RUNNING)),
            ),
            # The sweeper looks for those that have used up their attempts.
            models.Index(
                fields=("attempt",),
                name="item_attempts",
                condition=Q(state__in=(JobState.QUEUED, JobState.RUNNING)),
            ),
        ]
