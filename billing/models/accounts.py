from __future__ import annotations

from django.db import models
from django.db.models import Q

from accounts.models import Plan, TenantQuerySet, Workspace, WorkspaceOwned


class BillingAccount(WorkspaceOwned):
    """A workspace as Stripe's customer. Whoever holds the lease (`lease_token`) is the only one to write what Stripe
    says; a ghost that lost it changes nothing."""

    workspace = models.OneToOneField(Workspace, on_delete=models.CASCADE, related_name="billing_account")
    customer_id = models.CharField(max_length=64, unique=True, null=True)  # noqa: DJ001  (many have none yet)
    is_disputed = models.BooleanField(default=False)
    is_refunded = models.BooleanField(default=False, help_text="The last payment was paid back in full.")
    lease_token = models.UUIDField(null=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    synced_at = models.DateTimeField(null=True, help_text="When the last complete reading of Stripe began.")
    overage_since = models.DateTimeField(
        null=True, help_text="When its owner agreed to pay for products beyond the plan."
    )
    overage_base = models.PositiveIntegerField(
        default=0, help_text="Products that month had by then; they are not billed."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TenantQuerySet["BillingAccount"].as_manager()

    def __str__(self) -> str:
        return self.customer_id or "not a customer yet"


class Subscription(WorkspaceOwned):
    """What Stripe last said of a subscription, overwritten as a whole each time. The quota and the budgets share no
    column with this."""

    class Interval(models.TextChoices):
        MONTH = "month", "Monthly"
        YEAR = "year", "Yearly"

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="subscriptions")
    subscription_id = models.CharField(max_length=64, unique=True)
    status = models.CharField(max_length=30, help_text="In Stripe's words.")
    is_live = models.BooleanField(help_text="The one that counts.")
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, null=True, related_name="+")
    interval = models.CharField(max_length=5, choices=Interval.choices, blank=True)
    seats = models.PositiveIntegerField(default=0, help_text="Billed beyond the plan's own.")
    has_overage = models.BooleanField(default=False, help_text="Products beyond the month's are metered.")
    begun_at = models.DateTimeField()
    period_start = models.DateTimeField(null=True)
    period_end = models.DateTimeField(null=True)
    trial_end = models.DateTimeField(null=True)
    cancel_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    grace_until = models.DateTimeField(null=True, help_text="Counted from the first payment that failed.")
    is_collection_paused = models.BooleanField(default=False)
    next_plan = models.ForeignKey(
        Plan, on_delete=models.PROTECT, null=True, related_name="+", help_text="From the end of the period on."
    )
    next_interval = models.CharField(max_length=5, choices=Interval.choices, blank=True)
    pending_plan = models.ForeignKey(
        Plan, on_delete=models.PROTECT, null=True, related_name="+", help_text="Once its invoice is paid."
    )
    invoice_url = models.URLField(max_length=500, blank=True, help_text="Where an open invoice is paid.")
    synced_at = models.DateTimeField()

    objects = TenantQuerySet["Subscription"].as_manager()

    class Meta:
        ordering = ("-begun_at",)
        constraints = [
            models.UniqueConstraint(fields=("workspace",), condition=Q(is_live=True), name="one_live_subscription")
        ]
        indexes = [
            models.Index(fields=("grace_until",), name="subscription_in_grace", condition=Q(grace_until__isnull=False))
        ]

    def __str__(self) -> str:
        return f"{self.subscription_id} ({self.status})"


class CheckoutIntent(WorkspaceOwned):
    """A checkout somebody means to begin, written down before Stripe is asked: its id makes the call idempotent."""

    class State(models.TextChoices):
        OPEN = "open", "Open"
        DONE = "done", "Paid"
        GONE = "gone", "Expired or given up"

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="checkout_intents")
    state = models.CharField(max_length=5, choices=State.choices, default=State.OPEN)
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="+")
    interval = models.CharField(max_length=5, choices=Subscription.Interval.choices)
    has_trial = models.BooleanField()
    session_id = models.CharField(max_length=100, blank=True)
    url = models.URLField(max_length=1000, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TenantQuerySet["CheckoutIntent"].as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=("workspace",), condition=Q(state="open"), name="one_open_checkout"),
            models.CheckConstraint(condition=Q(state__in=("open", "done", "gone")), name="checkout_known_state"),
        ]
