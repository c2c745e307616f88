from __future__ import annotations

import hashlib

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models import TenantQuerySet, Workspace, WorkspaceOwned
from generation.facts import FIELDS


class Text(WorkspaceOwned):
    """One version of one product's texts (or of an API request's, without a product). Versions are never overwritten,
    except that autosave keeps updating the version the same person has open, until it is sent to review: from then on
    its words never change (a trigger holds that), so its id names what somebody read and approved."""

    class Source(models.TextChoices):
        """Which layer answered. The words are the API's."""

        MODEL = "model", "Written by a model"
        EXACT = "exact", "Known: the same facts were written before"
        TEMPLATE = "template", "Filled from the text of its family"
        SEMANTIC = "semantic", "Known: the same facts were asked for in other words"
        PRECOMPUTED = "precomputed", "Written overnight, before anybody asked"
        COALESCED = "coalesced", "Shared with an identical request"
        EDITED = "edited", "Edited by a person"
        RESTORED = "restored", "Restored from an earlier version"

    class State(models.TextChoices):
        """Whether it may go out. Every version begins as a draft."""

        DRAFT = "draft", "Draft"
        IN_REVIEW = "in_review", "In review"
        APPROVED = "approved", "Approved"

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="texts")
    product = models.ForeignKey(
        "generation.Product", on_delete=models.CASCADE, null=True, blank=True, related_name="texts"
    )
    version = models.PositiveIntegerField(default=1)
    brief = models.JSONField(help_text="Everything but the facts: tone, language, length, channel, voice, …")
    facts = models.JSONField(default=list, help_text="The facts it was written from: label, value.")
    fingerprint = models.CharField(max_length=80)
    description = models.TextField()
    seo_title = models.TextField(blank=True)
    meta_description = models.TextField(blank=True)
    bullets = models.TextField(blank=True, help_text="Benefit bullets, one a line.")
    evidence = models.JSONField(default=list, help_text="For each sentence: start, end, labels of its facts.")
    complaints = models.JSONField(default=list, help_text="What the output check says of an edited text.")
    source = models.CharField(max_length=12, choices=Source.choices)
    explanation = models.JSONField(default=list, help_text="Each layer that was asked: layer, outcome, reason.")
    cache_key = models.CharField(max_length=120, blank=True, help_text="The cache entry that holds it, or would.")
    is_proposal = models.BooleanField(
        default=False, help_text="Another wording asked for past the cache, which becomes the cached one when kept."
    )
    rejected_at = models.DateTimeField(null=True, blank=True)
    rejected_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    rejection = models.TextField(blank=True, help_text="Why it was not usable, in the words of whoever said so.")
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT)
    submitted_at = models.DateTimeField(null=True, blank=True, help_text="Sent to review: its words stay from then on.")
    submitted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    approved_at = models.DateTimeField(null=True, blank=True)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    provider = models.CharField(max_length=60, blank=True)
    model_id = models.CharField(max_length=100, blank=True)
    cost_nanos = models.BigIntegerField(default=0)
    tokens = models.JSONField(default=dict)
    run_item = models.OneToOneField(
        "generation.RunItem", on_delete=models.SET_NULL, null=True, blank=True, related_name="text"
    )
    idempotency_key = models.CharField(max_length=255, null=True, blank=True)  # noqa: DJ001 (NULLs do not collide)
    request_hash = models.CharField(max_length=64, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = TenantQuerySet["Text"].as_manager()

    class Meta:
        ordering = ("-created_at",)
        constraints = [
            models.UniqueConstraint(fields=("product", "version"), name="text_once_per_version"),
            models.UniqueConstraint(
                fields=("workspace", "idempotency_key"),
                condition=Q(idempotency_key__isnull=False),
                name="text_once_per_idempotency_key",
            ),
            models.CheckConstraint(condition=Q(cost_nanos__gte=0), name="text_cost_not_negative"),
            models.CheckConstraint(condition=~Q(description=""), name="text_not_empty"),
            models.CheckConstraint(
                condition=Q(state="draft")
                | Q(
                    state__in=("in_review", "approved"),
                    product__isnull=False,
                    submitted_at__isnull=False,
                    is_proposal=False,
                    rejected_at__isnull=True,
                ),
                name="text_reviewed_is_in_use",
            ),
            models.CheckConstraint(
                condition=Q(state="approved", approved_at__isnull=False)
                | (~Q(state="approved") & Q(approved_at__isnull=True)),
                name="text_approved_at_a_time",
            ),
        ]
        indexes = [
            models.Index(fields=("workspace", "-created_at"), name="text_newest"),
            models.Index(
                fields=("workspace", "state", "-created_at"), name="text_reviewed", condition=~Q(state="draft")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.description[:60]}…"

    @property
    def is_undecided(self) -> bool:
        """A proposal that nobody kept or discarded yet."""
        return self.is_proposal and self.rejected_at is None

    @property
    def is_discarded(self) -> bool:
        return self.is_proposal and self.rejected_at is not None

    @property
    def is_offline(self) -> bool:
        return self.provider == "offline"

    @property
    def is_approved(self) -> bool:
        return self.state == Text.State.APPROVED

    @property
    def words_digest(self) -> str:
        """Names the words, so that somebody can say which ones they read."""
        return hashlib.sha256("\x1f".join(getattr(self, name) for name in FIELDS).encode()).hexdigest()[:32]


class Refinement(WorkspaceOwned):
    """One turn of a conversation about a text: what was wished of it, and the text that came of that, or why none did.

    A text's conversation is what leads to it: its refinement, that of the text which that one was about, and so on.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="refinements")
    product = models.ForeignKey(
        "generation.Product", on_delete=models.CASCADE, null=True, blank=True, related_name="refinements"
    )
    basis = models.ForeignKey(Text, on_delete=models.CASCADE, related_name="refinements")
    wish = models.TextField()
    text = models.OneToOneField(Text, on_delete=models.CASCADE, null=True, blank=True, related_name="refinement")
    answer = models.TextField(blank=True, help_text="Why no text came of it, in words for whoever wished it.")
    cost_nanos = models.BigIntegerField(default=0)
    idempotency_key = models.CharField(max_length=255, null=True, blank=True)  # noqa: DJ001 (NULLs do not collide)
    request_hash = models.CharField(max_length=64, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TenantQuerySet["Refinement"].as_manager()

    class Meta:
        ordering = ("-created_at",)
        constraints = [
            models.CheckConstraint(
                condition=Q(text__isnull=True) ^ Q(answer=""), name="refinement_has_a_text_or_an_answer"
            ),
            models.CheckConstraint(condition=Q(cost_nanos__gte=0), name="refinement_cost_not_negative"),
            models.CheckConstraint(condition=~Q(wish=""), name="refinement_wish_not_empty"),
            models.UniqueConstraint(
                fields=("workspace", "idempotency_key"),
                condition=Q(idempotency_key__isnull=False),
                name="refinement_once_per_idempotency_key",
            ),
        ]
        indexes = [models.Index(fields=("product", "-created_at"), name="refinement_of_product")]
