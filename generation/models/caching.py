from __future__ import annotations

from django.db import models
from django.db.models import Q

from accounts.models import PLATFORM_WORKSPACE_ID, TenantQuerySet, WorkspaceOwned


class Cached(WorkspaceOwned):
    """What texts and templates share: who wrote it, for what facts and wishes, what that cost, how often it served.

    `key` names the facts, the wishes, the quality asked for and the versions of extractor, prompt and check: raising
    one retires the entry, because nobody asks for its key any more.
    """

    key = models.CharField(max_length=120)
    subject = models.CharField(max_length=200, default="", help_text="The folded title: entries about one thing.")
    brief = models.JSONField(default=dict, help_text="Everything but the facts.")
    facts = models.JSONField(default=dict, help_text="As generation.facts.facts_to_json keeps them.")
    fields = models.JSONField(help_text="description, seo_title, meta_description")
    provider = models.CharField(max_length=60)
    model_id = models.CharField(max_length=100)
    tier = models.CharField(max_length=10, default="")
    cost_nanos = models.BigIntegerField(default=0, help_text="What writing it cost, and so what serving it saves.")
    hits = models.PositiveIntegerField(default=0, help_text="Counted when the free answers enter the ledger.")
    last_hit_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()

    class Meta:
        abstract = True


class CachedText(Cached):
    """A text that passed the output check, and served exactly those facts and wishes. Private to the workspace, but for
    the public pool: texts that the platform wrote from the sample shop's facts, without anybody's voice or wishes."""

    class Origin(models.TextChoices):
        """The layer that made it."""

        MODEL = "model", "Written by a model"
        TEMPLATE = "template", "Filled from its family's template"
        SEMANTIC = "semantic", "The same facts in other words"
        PRECOMPUTED = "precomputed", "Written overnight"
        EDITED = "edited", "Edited by a person"

    evidence = models.JSONField(default=list)
    origin = models.CharField(max_length=12, choices=Origin.choices, default=Origin.MODEL)
    donor = models.UUIDField(null=True, help_text="The template or text it came from.")
    facts_hash = models.CharField(max_length=80, default="")
    # For the semantic layer: what must agree exactly, what is left in words, and what ranks candidates.
    bucket = models.CharField(max_length=120, default="")
    words = models.JSONField(default=list)
    masked = models.TextField(default="")
    embedding = models.BinaryField(null=True)
    is_public = models.BooleanField(default=False)

    objects = TenantQuerySet["CachedText"].as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=("workspace", "key"), name="cached_text_once"),
            models.CheckConstraint(
                condition=Q(is_public=False) | Q(workspace=PLATFORM_WORKSPACE_ID),
                name="cached_text_public_is_platforms",
            ),
        ]
        indexes = [
            models.Index(fields=("expires_at",), name="cached_text_expiry"),
            models.Index(fields=("workspace", "bucket"), name="cached_text_by_bucket"),
            models.Index(fields=("workspace", "subject"), name="cached_text_by_subject"),
            models.Index(fields=("-hits",), name="cached_text_most_used"),
        ]


class CachedTemplate(Cached):
    """A family's text with slots, written by a model that saw no slot's value; or why the family has none, so that
    nobody pays for another try before it expires."""

    refusal = models.TextField(blank=True, help_text="Why there is no template for this family.")

    objects = TenantQuerySet["CachedTemplate"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=("workspace", "key"), name="cached_template_once")]
        indexes = [
            models.Index(fields=("expires_at",), name="cached_template_expiry"),
            models.Index(fields=("workspace", "subject"), name="cached_template_by_subject"),
        ]


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
