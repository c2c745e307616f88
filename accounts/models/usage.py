from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from accounts.models.tenants import TenantQuerySet, Workspace, WorkspaceOwned


class UsagePeriod(WorkspaceOwned):
    """How many products of one month's quota are used."""

    period_start = models.DateTimeField()
    period_end = models.DateTimeField()
    products_used = models.PositiveIntegerField(default=0)

    objects = TenantQuerySet["UsagePeriod"].as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=("workspace", "period_start"), name="one_usage_period"),
            models.CheckConstraint(name="usage_period_in_order", condition=Q(period_end__gt=F("period_start"))),
        ]


class CountedProduct(WorkspaceOwned):
    """A product that counts in a month: once, however often it is written. `pending_until` is set while its first text
    is being written; if that fails, or its worker dies, it is taken off the count again."""

    period_start = models.DateTimeField()
    product_key = models.CharField(max_length=260, help_text="The shop's own key, or the hash of its facts.")
    pending_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    objects = TenantQuerySet["CountedProduct"].as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=("workspace", "period_start", "product_key"), name="product_counts_once")
        ]
        indexes = [
            models.Index(fields=("pending_until",), name="counted_pending", condition=Q(pending_until__isnull=False))
        ]


class UsageRollup(WorkspaceOwned):
    """The ledger summed up by hour and by day. Derived: any of it can be computed again from the ledger."""

    class Grain(models.TextChoices):
        HOUR = "hour", "Hour"
        DAY = "day", "Day"

    # No index of its own: `one_rollup` begins with it.
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+", db_index=False)
    grain = models.CharField(max_length=4, choices=Grain.choices)
    start = models.DateTimeField()
    user_id = models.UUIDField(null=True)
    api_key_id = models.UUIDField(null=True)
    run_id = models.UUIDField(null=True)
    endpoint = models.CharField(max_length=20)
    provider = models.CharField(max_length=60, blank=True)
    model_id = models.CharField(max_length=100, blank=True)
    tier = models.CharField(max_length=10, blank=True)
    source = models.CharField(max_length=12)
    answers = models.PositiveIntegerField()
    calls = models.PositiveIntegerField()
    input_tokens = models.PositiveBigIntegerField()
    cached_tokens = models.PositiveBigIntegerField()
    cache_write_tokens = models.PositiveBigIntegerField()
    output_tokens = models.PositiveBigIntegerField()
    cost_nanos = models.BigIntegerField()
    saved_nanos = models.BigIntegerField()

    objects = TenantQuerySet["UsageRollup"].as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=(
                    "workspace",
                    "grain",
                    "start",
                    "user_id",
                    "api_key_id",
                    "run_id",
                    "endpoint",
                    "provider",
                    "model_id",
                    "tier",
                    "source",
                ),
                nulls_distinct=False,
                name="one_rollup",
            )
        ]


class RollupMark(models.Model):
    """Up to when the ledger's lines, by the time they were recorded, are summed up. One row."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    recorded_until = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(name="one_rollup_mark", condition=Q(id=1))]


class Reconciliation(models.Model):
    """What the daily comparison of ledger, budgets and model calls found."""

    created_at = models.DateTimeField(db_default=Now())
    checked = models.JSONField(help_text="How many rows of each kind were compared.")
    differences = models.JSONField(default=list, help_text="What did not agree; empty when the books are right.")

    class Meta:
        ordering = ("-created_at",)

    @property
    def is_balanced(self) -> bool:
        return not self.differences
