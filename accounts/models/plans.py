from __future__ import annotations

from django.db import models
from django.db.models import Q


class Plan(models.Model):
    """What a workspace may use. Rows, so staff change limits without a release; an empty limit means none."""

    slug = models.SlugField(primary_key=True)
    name = models.CharField(max_length=60)
    is_public = models.BooleanField(default=True, help_text="Shown on the pricing page.")
    position = models.PositiveSmallIntegerField(default=0)
    products_per_month = models.PositiveIntegerField(null=True, blank=True)
    burst_per_minute = models.PositiveIntegerField(null=True, blank=True)
    requests_per_day = models.PositiveIntegerField(null=True, blank=True)
    spend_cap_nanos = models.BigIntegerField(null=True, blank=True, help_text="Model spend a month, in nano-dollars.")
    seats = models.PositiveIntegerField(null=True, blank=True)
    monthly_price_cents = models.PositiveIntegerField(default=0)
    features = models.JSONField(default=list, blank=True, help_text="Lines for the pricing page.")
    stripe_lookup_key = models.CharField(max_length=100, blank=True)

    class Meta:
        ordering = ("position", "slug")
        constraints = [
            models.CheckConstraint(
                name="plan_spend_cap_not_negative", condition=Q(spend_cap_nanos=None) | Q(spend_cap_nanos__gte=0)
            )
        ]

    def __str__(self) -> str:
        return self.name
