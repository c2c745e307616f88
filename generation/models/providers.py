from __future__ import annotations

from django.db import models
from django.db.models import Q

from accounts.models import TenantQuerySet, Workspace, WorkspaceOwned


class Provider(models.Model):
    """A vendor, as staff see it: one switch each. Addresses and keys come from the environment."""

    class Kind(models.TextChoices):
        ANTHROPIC = "anthropic", "Anthropic"
        OPENAI = "openai", "OpenAI"
        OFFLINE = "offline", "Offline writer"

    slug = models.SlugField(primary_key=True)
    name = models.CharField(max_length=60)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    is_enabled = models.BooleanField(default=True, help_text="Off: no request goes to this provider.")

    class Meta:
        ordering = ("slug",)

    def __str__(self) -> str:
        return self.name


class LlmModel(models.Model):
    """One priced model (the design's ModelSpec). `price` holds generation.llm.Price, nano-dollars a million tokens."""

    class Tier(models.TextChoices):
        ECONOMY = "economy", "Economy"
        STANDARD = "standard", "Standard"
        PREMIUM = "premium", "Premium"

    provider = models.ForeignKey(Provider, on_delete=models.PROTECT, related_name="models")
    model_id = models.CharField(max_length=100)
    tier = models.CharField(max_length=10, choices=Tier.choices)
    is_enabled = models.BooleanField(default=True, help_text="Off: no request goes to this model.")
    is_default = models.BooleanField(default=False, help_text="Serves its tier when its provider has a key.")
    price = models.JSONField()
    price_version = models.CharField(max_length=40)
    max_input_tokens = models.PositiveIntegerField()
    max_output_tokens = models.PositiveIntegerField()

    class Meta:
        verbose_name = "model"
        ordering = ("provider", "tier", "model_id")
        constraints = [models.UniqueConstraint(fields=("provider", "model_id"), name="model_once_per_provider")]

    def __str__(self) -> str:
        return self.model_id


class LlmCall(WorkspaceOwned):
    """One upstream attempt, recorded before it is sent, so that a call cut short by a crash is still on the books."""

    class Outcome(models.TextChoices):
        DISPATCHED = "dispatched", "Sent, no answer yet"
        ACCEPTED = "accepted", "Text passed the check"
        REFUSED = "refused", "Text failed the check"
        FAILED = "failed", "No text"
        UNKNOWN = "unknown", "Never answered: the worker died"

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="llm_calls")
    fingerprint = models.CharField(max_length=80)
    run_item = models.ForeignKey(
        "generation.RunItem", on_delete=models.SET_NULL, null=True, blank=True, related_name="llm_calls"
    )
    provider = models.CharField(max_length=60)
    model_id = models.CharField(max_length=100)
    tier = models.CharField(max_length=10)
    attempt = models.PositiveSmallIntegerField()
    outcome = models.CharField(max_length=10, choices=Outcome.choices, default=Outcome.DISPATCHED)
    error_kind = models.CharField(max_length=20, blank=True)
    complaints = models.JSONField(default=list)
    input_tokens = models.PositiveIntegerField(default=0, help_text="Not cached.")
    cached_tokens = models.PositiveIntegerField(default=0)
    cache_write_tokens = models.PositiveIntegerField(default=0)
    output_tokens = models.PositiveIntegerField(default=0)
    ceiling_nanos = models.BigIntegerField(default=0)
    cost_nanos = models.BigIntegerField(default=0)
    cost_is_exact = models.BooleanField(default=False, help_text="False: usage unknown, billed at the ceiling.")
    price_version = models.CharField(max_length=40)
    latency_ms = models.PositiveIntegerField(default=0)
    provider_request_id = models.CharField(max_length=120, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    objects = TenantQuerySet["LlmCall"].as_manager()

    class Meta:
        verbose_name = "model call"
        ordering = ("-created_at",)
        constraints = [
            models.CheckConstraint(
                condition=Q(cost_nanos__gte=0, ceiling_nanos__gte=0), name="llm_call_cost_not_negative"
            )
        ]
        indexes = [
            models.Index(fields=("workspace", "-created_at"), name="llm_call_newest"),
            models.Index(fields=("created_at",), name="llm_call_open", condition=Q(outcome="dispatched")),
        ]
