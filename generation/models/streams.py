from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models import TenantQuerySet, Workspace, WorkspaceOwned
from contentopt.jobs import Job, JobState
from generation.models.catalogues import Product
from generation.models.texts import Text


class Stream(WorkspaceOwned, Job):
    """One text that somebody reads as it is written. A worker writes it whether or not they go on reading."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="streams")
    product = models.ForeignKey(Product, on_delete=models.CASCADE, null=True, blank=True, related_name="streams")
    brief = models.JSONField(help_text="Everything but the facts: tone, language, length, fields, …")
    facts = models.JSONField(help_text="As generation.facts.facts_to_json keeps them.")
    variation = models.PositiveIntegerField(default=0, help_text="Above 0: another wording, past the cache.")
    is_proposal = models.BooleanField(default=False, help_text="It is to stand beside the product's present text.")
    endpoint = models.CharField(max_length=10, help_text="Where it was asked for: api, page or visitor.")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    api_key = models.ForeignKey("accounts.ApiKey", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    idempotency_key = models.CharField(max_length=255, null=True, blank=True)  # noqa: DJ001 (NULLs do not collide)
    request_hash = models.CharField(max_length=64, blank=True)
    remaining = models.JSONField(default=dict, help_text="Requests the plan still allowed when it was asked for.")
    is_explained = models.BooleanField(default=False, help_text="The reply is to say where the text came from.")
    text = models.ForeignKey(Text, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    refusal = models.JSONField(null=True, blank=True, help_text="Why there is no text, as the API says it.")

    objects = TenantQuerySet["Stream"].as_manager()

    class Meta:
        ordering = ("-created_at",)
        constraints = [
            models.UniqueConstraint(
                fields=("workspace", "idempotency_key"),
                # After a failure the same key may try again.
                condition=Q(idempotency_key__isnull=False) & ~Q(state=JobState.FAILED),
                name="stream_once_per_idempotency_key",
            ),
            models.UniqueConstraint(
                fields=("product",),
                condition=Q(state__in=(JobState.QUEUED, JobState.RUNNING)),
                name="one_stream_a_product",
            ),
        ]
        indexes = [
            models.Index(
                fields=("next_run_at",), name="stream_open", condition=Q(state__in=(JobState.QUEUED, JobState.RUNNING))
            ),
            models.Index(fields=("finished_at",), name="stream_finished", condition=Q(finished_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"Stream {self.pk}"
