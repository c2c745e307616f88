from __future__ import annotations

from django.db import models
from django.db.models import Q

from accounts.models import TenantQuerySet, Workspace, WorkspaceOwned
from contentopt.jobs import Job, JobState


class Night(WorkspaceOwned, Job):
    """What one workspace has written before anybody asks, in one night. As a job it is the planning of it; once that is
    done, its items are the queue. Its budget is its own, so it can be planned again without spending more."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="nights")
    date = models.DateField(help_text="The day that it is written for.")
    until = models.DateTimeField(
        null=True, help_text="What is not begun by then is let go. Empty when a person started it."
    )
    cap_nanos = models.BigIntegerField(help_text="What it may spend.")
    ceiling_nanos = models.BigIntegerField(default=0, help_text="The most that what is planned can cost.")
    expected_nanos = models.BigIntegerField(default=0, help_text="What is planned is expected to save.")
    item_count = models.PositiveIntegerField(default=0)

    objects = TenantQuerySet["Night"].as_manager()

    class Meta:
        ordering = ("-date", "workspace_id")
        constraints = [models.UniqueConstraint(fields=("workspace", "date"), name="one_night_a_date")]

    def __str__(self) -> str:
        return f"Night to {self.date:%-d %b %Y}"


class NightItem(WorkspaceOwned, Job):
    """One text to be written ahead."""

    class Reason(models.TextChoices):
        EXPIRING = "expiring", "Asked for often, and about to expire"
        FAMILY = "family", "Variants were asked for, and their family has no text"
        UNWRITTEN = "unwritten", "Imported, and not written yet"
        SAMPLE = "sample", "Sample shop, for the public pool"

    # Written although a text may be known.
    RENEWALS = (Reason.EXPIRING, Reason.FAMILY, Reason.SAMPLE)

    night = models.ForeignKey(Night, on_delete=models.CASCADE, related_name="items")
    position = models.PositiveIntegerField()
    reason = models.CharField(max_length=10, choices=Reason.choices)
    title = models.CharField(max_length=200)
    brief = models.JSONField(help_text="Everything but the facts.")
    facts = models.JSONField(help_text="As generation.facts.facts_to_json keeps them.")
    key = models.CharField(max_length=120, help_text="Of the cache entry that it makes.")
    known_until = models.DateTimeField(null=True, help_text="When the text expires that it takes the place of.")
    ceiling_nanos = models.BigIntegerField(help_text="The most that it can cost.")
    expected_nanos = models.BigIntegerField(default=0, help_text="What it is expected to save.")
    cost_nanos = models.BigIntegerField(default=0)
    waits_for = models.ForeignKey(
        "generation.BatchPart", on_delete=models.SET_NULL, null=True, blank=True, related_name="night_items"
    )

    objects = TenantQuerySet["NightItem"].as_manager()

    class Meta:
        ordering = ("position",)
        constraints = [models.UniqueConstraint(fields=("night", "key"), name="night_item_once")]
        indexes = [
            models.Index(
                fields=("night", "position"),
                name="night_item_to_hand_out",
                condition=Q(state__in=(JobState.QUEUED, JobState.RUNNING)),
            ),
            models.Index(
                fields=("attempt",),
                name="night_item_attempts",
                condition=Q(state__in=(JobState.QUEUED, JobState.RUNNING)),
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_renewal(self) -> bool:
        return self.reason in self.RENEWALS

    @property
    def is_public(self) -> bool:
        return self.reason == self.Reason.SAMPLE
