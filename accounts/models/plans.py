from __future__ import annotations

from django.db import models
from django.db.models import Q


class Tier(models.TextChoices):
    """How good the models are that write; cheapest first."""

    ECONOMY = "economy", "Economy"
    STANDARD = "standard", "Standard"
    PREMIUM = "premium", "Premium"


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
    highest_tier = models.CharField(
        max_length=10,
        choices=Tier.choices,
        default=Tier.ECONOMY,
        help_text="The best models that may be asked for, or asked when cheaper ones fail the check.",
    )
    monthly_price_cents = models.PositiveIntegerField(default=0)
    yearly_price_cents = models.PositiveIntegerField(default=0, help_text="0: it is sold by the month only.")
    seat_price_cents = models.PositiveIntegerField(
        default=0, help_text="A month, of each person beyond the plan's seats; 0: there are no more to be had."
    )
    overage_price_cents = models.PositiveIntegerField(
        default=0, help_text="Of each product beyond the month's; 0: there are no more to be had."
    )
    trial_spend_cap_nanos = models.BigIntegerField(
        null=True,
        blank=True,
        help_text="Model spend a month while the plan is tried free; the plan's cap holds as well.",
    )
    features = models.JSONField(default=list, blank=True, help_text="Lines for the pricing page.")
    stripe_lookup_key = models.CharField(
        max_length=100, blank=True, help_text="Of the monthly price at Stripe; empty: the plan is not sold online."
    )
    stripe_yearly_lookup_key = models.CharField(max_length=100, blank=True, help_text="Of the yearly price.")
    stripe_seat_lookup_key = models.CharField(
        max_length=90, blank=True, help_text="Of the price of a seat; “_yearly” is added for the yearly one."
    )
    stripe_overage_lookup_key = models.CharField(
        max_length=90, blank=True, help_text="Of the price of a product beyond the month's; “_yearly” likewise."
    )

    class Meta:
        ordering = ("position", "slug")
        constraints = [
            models.CheckConstraint(
                name="plan_spend_cap_not_negative", condition=Q(spend_cap_nanos=None) | Q(spend_cap_nanos__gte=0)
            ),
            models.CheckConstraint(
                name="plan_trial_cap_not_negative",
                condition=Q(trial_spend_cap_nanos=None) | Q(trial_spend_cap_nanos__gte=0),
            ),
            models.CheckConstraint(name="plan_known_tier", condition=Q(highest_tier__in=Tier.values)),
        ]

    def __str__(self) -> str:
        return self.name


class LimitStep(models.Model):
    """Dynamic tightening: whoever has made so many requests in the last hour has a smaller burst for now."""

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="limit_steps")
    requests_in_hour = models.PositiveIntegerField(help_text="From this many requests in the last hour on…")
    burst_percent = models.PositiveSmallIntegerField(help_text="…the burst limit is this part of the plan's.")

    class Meta:
        ordering = ("requests_in_hour",)
        constraints = [
            models.UniqueConstraint(fields=("plan", "requests_in_hour"), name="one_step_per_threshold"),
            models.CheckConstraint(name="step_tightens", condition=Q(burst_percent__gte=1, burst_percent__lte=100)),
        ]

    def __str__(self) -> str:
        return f"{self.burst_percent} % from {self.requests_in_hour} requests an hour"


class Platform(models.Model):
    """What staff allow the platform as a whole to spend on models. One row."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    day_limit_nanos = models.BigIntegerField(null=True, blank=True, help_text="Model spend a day (UTC) of everyone.")
    is_stopped = models.BooleanField(default=False, help_text="On: no paid call is made. Free answers are served.")
    reason = models.CharField(max_length=200, blank=True, help_text="Why; staff see it.")
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "platform"
        constraints = [
            models.CheckConstraint(name="one_platform", condition=Q(id=1)),
            models.CheckConstraint(
                name="platform_limit_not_negative", condition=Q(day_limit_nanos=None) | Q(day_limit_nanos__gte=0)
            ),
        ]

    def __str__(self) -> str:
        return "Platform"
