from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Cast, Length, Now
from django.db.models.lookups import LessThanOrEqual
from django.utils import timezone

from accounts.models import TenantQuerySet, Workspace, WorkspaceOwned
from contentopt.jobs import Job, JobState
from webhooks.events import EVENT_TYPES, MOST_PAYLOAD_BYTES, TEST

# An endpoint is failing once so many attempts in a row failed within a day; one that fails now and then is not.
FAILURES_THAT_COUNT = 3
FAILURES_WITHIN = timedelta(hours=24)
WARN_AFTER = timedelta(hours=24)
DISABLE_AFTER = timedelta(days=5)


class EndpointQuerySet(TenantQuerySet["Endpoint"]):
    def enabled(self) -> EndpointQuerySet:
        return self.filter(state=Endpoint.State.ENABLED)


def named_with_its_workspace(table: str) -> models.UniqueConstraint:
    """What the migration's foreign keys refer to, so that no row can belong to another workspace's."""
    return models.UniqueConstraint(fields=("workspace", "id"), name=f"{table}_of_workspace")


class Endpoint(WorkspaceOwned):
    """An address of a customer's that is told of events."""

    class State(models.TextChoices):
        ENABLED = "enabled", "On"
        DISABLED = "disabled", "Off"

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="webhook_endpoints")
    url = models.CharField(max_length=500)
    description = models.CharField(max_length=120, blank=True)
    event_types = ArrayField(models.CharField(max_length=40))
    state = models.CharField(max_length=10, choices=State.choices, default=State.ENABLED)
    disabled_reason = models.TextField(blank=True, help_text="In words, for whoever finds it off.")
    # Encrypted: see webhooks.signing.
    secret = models.TextField(editable=False)
    old_secret = models.TextField(blank=True, editable=False)
    old_secret_until = models.DateTimeField(null=True, help_text="Until then both secrets sign.")
    # How it does since it last took an event.
    failures = models.PositiveIntegerField(default=0)
    first_failed_at = models.DateTimeField(null=True)
    failing_since = models.DateTimeField(null=True, help_text="From the failure on that made it a failing endpoint.")
    warned_at = models.DateTimeField(null=True, help_text="When its owners were mailed that it fails.")
    throttled_until = models.DateTimeField(null=True, help_text="It asked to be left alone for so long.")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(auto_now=True)

    objects = EndpointQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at",)
        constraints = [
            named_with_its_workspace("endpoint"),
            models.CheckConstraint(condition=Q(state__in=("enabled", "disabled")), name="endpoint_known_state"),
            models.CheckConstraint(
                condition=Q(state="enabled", disabled_reason="") | (Q(state="disabled") & ~Q(disabled_reason="")),
                name="endpoint_off_has_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(old_secret="", old_secret_until=None)
                | (~Q(old_secret="") & Q(old_secret_until__isnull=False)),
                name="endpoint_old_secret_ends",
            ),
            models.CheckConstraint(condition=~Q(secret=""), name="endpoint_has_a_secret"),
            models.CheckConstraint(condition=Q(event_types__len__gt=0), name="endpoint_wants_something"),
            models.CheckConstraint(
                condition=Q(event_types__contained_by=list(EVENT_TYPES)), name="endpoint_known_event_types"
            ),
        ]
        indexes = [models.Index(fields=("workspace", "-created_at"), name="endpoint_newest")]

    def __str__(self) -> str:
        return self.url

    @property
    def is_enabled(self) -> bool:
        return self.state == self.State.ENABLED

    @property
    def has_old_secret(self) -> bool:
        return self.old_secret_until is not None and self.old_secret_until > timezone.now()

    @property
    def disabled_at(self) -> object:
        """When it will be switched off if it goes on failing."""
        return self.failing_since and self.failing_since + DISABLE_AFTER


class Event(WorkspaceOwned):
    """Something that happened, written down in the transaction in which it did, if an endpoint wanted to hear of it."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="webhook_events")
    type = models.CharField(max_length=40)
    data = models.JSONField()
    # What makes two announcements the same thing, where it may be announced twice.
    key = models.CharField(max_length=120, null=True)  # noqa: DJ001 (NULLs do not collide)
    created_at = models.DateTimeField(db_default=Now())

    objects = TenantQuerySet["Event"].as_manager()

    class Meta:
        ordering = ("-created_at",)
        constraints = [
            named_with_its_workspace("event"),
            models.UniqueConstraint(fields=("workspace", "type", "key"), name="event_once_per_key"),
            models.CheckConstraint(condition=Q(type__in=(*EVENT_TYPES, TEST)), name="event_known_type"),
            models.CheckConstraint(
                condition=LessThanOrEqual(Length(Cast("data", models.TextField())), MOST_PAYLOAD_BYTES // 4),
                name="event_is_thin",
            ),
        ]
        indexes = [models.Index(fields=("created_at",), name="event_oldest")]

    def __str__(self) -> str:
        return self.type


class Delivery(WorkspaceOwned, Job):
    """One event on its way to one endpoint; this row is the job. `next_run_at` says when it is tried (again)."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="webhook_deliveries")
    # The database's own constraints name the workspace too: see the migration.
    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE, related_name="deliveries", db_constraint=False)
    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="deliveries", db_constraint=False)

    objects = TenantQuerySet["Delivery"].as_manager()

    class Meta:
        ordering = ("-created_at",)
        verbose_name_plural = "deliveries"
        constraints = [
            named_with_its_workspace("delivery"),
            models.UniqueConstraint(fields=("event", "endpoint"), name="delivery_once_per_endpoint"),
        ]
        indexes = [
            models.Index(fields=("workspace", "-created_at"), name="delivery_newest"),
            models.Index(fields=("endpoint", "-created_at"), name="delivery_newest_of_endpoint"),
            # What is next, however many wait behind it.
            models.Index(
                fields=("endpoint", "next_run_at"),
                name="delivery_next",
                condition=Q(state__in=(JobState.QUEUED, JobState.RUNNING)),
            ),
            # The sweeper looks for those that have used up their attempts.
            models.Index(
                fields=("attempt",),
                name="delivery_attempts",
                condition=Q(state__in=(JobState.QUEUED, JobState.RUNNING)),
            ),
            # What is with a worker, of a workspace and of all.
            models.Index(
                fields=("workspace", "lease_until"), name="delivery_running", condition=Q(state=JobState.RUNNING)
            ),
            models.Index(
                fields=("workspace", "published_at"),
                name="delivery_out",
                condition=Q(state=JobState.QUEUED, published_at__isnull=False),
            ),
            models.Index(fields=("created_at",), name="delivery_oldest"),
        ]

    def __str__(self) -> str:
        return f"{self.event} to {self.endpoint}"

    @property
    def label(self) -> str:
        """In the words of whoever waits for it."""
        if self.state == JobState.QUEUED:
            return "To be tried again" if self.attempt else "On its way"
        return {JobState.RUNNING: "Being sent", JobState.DONE: "Received"}.get(JobState(self.state), "Not received")

    @property
    def tone(self) -> str:
        if self.state == JobState.QUEUED:
            return "warning" if self.attempt else "info"
        return {JobState.RUNNING: "info", JobState.DONE: "good"}.get(JobState(self.state), "bad")

    @property
    def can_be_replayed(self) -> bool:
        return self.state in (JobState.DONE, JobState.FAILED)


class Attempt(WorkspaceOwned):
    """One request, written down before it is sent: one without a status and an error was never heard of again."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="webhook_attempts")
    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="attempts", db_constraint=False)
    lease_token = models.UUIDField(unique=True, editable=False, help_text="Of the delivery when it was sent.")
    status = models.PositiveSmallIntegerField(null=True)
    error = models.TextField(blank=True)
    response = models.TextField(blank=True, help_text="The beginning of its body.")
    seconds = models.FloatField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    objects = TenantQuerySet["Attempt"].as_manager()

    class Meta:
        ordering = ("-created_at",)
        indexes = [
            models.Index(fields=("delivery", "-created_at"), name="attempt_newest"),
            models.Index(fields=("created_at",), name="attempt_oldest"),
        ]

    @property
    def is_received(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def counted_failures() -> models.Case:
    """Of an endpoint that has just failed once more: afresh, where the first of them is more than a day ago."""
    began_long_ago = Q(failing_since=None, first_failed_at__lt=Now() - FAILURES_WITHIN)
    return models.Case(models.When(began_long_ago, then=1), default=F("failures") + 1)
