from __future__ import annotations

from django.db import models
from django.db.models import Q

from accounts.models import TenantQuerySet, WorkspaceOwned


class CachedText(WorkspaceOwned):
    """A text that passed the output check. Private to the workspace.

    `key` is the brief's fingerprint plus the versions of prompt, check and route: raising one retires the entry.
    """

    key = models.CharField(max_length=120)
    fields = models.JSONField(help_text="description, seo_title, meta_description")
    evidence = models.JSONField(default=list)
    provider = models.CharField(max_length=60)
    model_id = models.CharField(max_length=100)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()

    objects = TenantQuerySet["CachedText"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=("workspace", "key"), name="cached_text_once")]
        indexes = [models.Index(fields=("expires_at",), name="cached_text_expiry")]


class Flight(WorkspaceOwned):
    """A brief being written right now: whoever holds the lease leads, everyone else waits for its result.

    In PostgreSQL, so that identical requests share one call with Redis gone too; a dead leader's lease runs out and
    the next in line takes over. A failed flight keeps its reason for those who waited.
    """

    key = models.CharField(max_length=120)
    token = models.UUIDField()
    lease_until = models.DateTimeField()
    failure = models.JSONField(null=True)

    objects = TenantQuerySet["Flight"].as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=("workspace", "key"), name="one_flight_per_brief"),
            models.CheckConstraint(condition=~Q(key=""), name="flight_has_key"),
        ]
