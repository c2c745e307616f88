from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from accounts.models.tenants import TenantQuerySet, Workspace, WorkspaceOwned


class Budget(models.Model):
    """The cap of one scope in one period, and how much of it is spent and held. Nano-dollars.

    Only the functions of `accounts/sql/budgets.sql` change the amounts, each in one conditional statement. `overdraft`
    is what is spent beyond the limit without having been admitted: the limit was lowered below what was spent, or a
    provider billed more than was asked of it. Every other way beyond the limit is refused by a constraint.
    """

    class Scope(models.TextChoices):
        PLATFORM = "platform", "Everyone, today"
        WORKSPACE = "workspace", "Workspace"
        MEMBER = "member", "Member"
        KEY = "key", "API key"
        RUN = "run", "Run"
        NIGHT = "night", "Night"

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="budgets")
    scope = models.CharField(max_length=10, choices=Scope.choices)
    scope_id = models.UUIDField(help_text="Of the workspace, user, API key, run or night; it may be gone by now.")
    period_start = models.DateTimeField()
    period_end = models.DateTimeField(
        null=True, help_text="Empty for a run or a night: it has one budget for all its life."
    )
    limit_nanos = models.BigIntegerField(null=True, help_text="Empty means no limit.")
    spent_nanos = models.BigIntegerField(default=0)
    reserved_nanos = models.BigIntegerField(default=0)
    overdraft_nanos = models.BigIntegerField(default=0)

    objects = TenantQuerySet["Budget"].as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=("workspace", "scope", "scope_id", "period_start"), name="one_budget"),
            models.CheckConstraint(
                name="budget_amounts_not_negative",
                condition=Q(spent_nanos__gte=0, reserved_nanos__gte=0, overdraft_nanos__gte=0),
            ),
            models.CheckConstraint(
                name="budget_within_limit",
                condition=Q(limit_nanos=None)
                | Q(spent_nanos__lte=F("limit_nanos") + F("overdraft_nanos") - F("reserved_nanos")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_scope_display()} from {self.period_start:%d %b %Y}"

    @property
    def left_nanos(self) -> int | None:
        if self.limit_nanos is None:
            return None
        return max(self.limit_nanos - self.spent_nanos - self.reserved_nanos, 0)

    @property
    def percent_spent(self) -> int:
        return min(100 * self.spent_nanos // self.limit_nanos, 999) if self.limit_nanos else 0


class Reservation(WorkspaceOwned):
    """A hold of one upstream attempt's ceiling on every budget in its scope. It has the attempt's own id.

    held -> dispatched -> settled | committed -> corrected;  held -> released. *Committed* is an attempt that was sent
    and never heard of again: it counts at its ceiling until the truth arrives.
    """

    class State(models.TextChoices):
        HELD = "held", "Held"
        DISPATCHED = "dispatched", "Sent"
        SETTLED = "settled", "Settled"
        RELEASED = "released", "Released"
        COMMITTED = "committed", "Counted at its ceiling"
        CORRECTED = "corrected", "Corrected"

    OPEN = (State.HELD, State.DISPATCHED)

    state = models.CharField(max_length=10, choices=State.choices, default=State.HELD)
    amount_nanos = models.BigIntegerField()
    cost_nanos = models.BigIntegerField(default=0, help_text="What it came to.")
    budget_ids = ArrayField(models.BigIntegerField(), help_text="All hold the same amount.")
    entry = models.JSONField(help_text="The ledger line's columns that are known before the call.")
    created_at = models.DateTimeField(db_default=Now())
    dispatched_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    objects = TenantQuerySet["Reservation"].as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(name="reservation_amount_not_negative", condition=Q(amount_nanos__gte=0)),
            models.CheckConstraint(
                name="reservation_known_state",
                condition=Q(state__in=("held", "dispatched", "settled", "released", "committed", "corrected")),
            ),
        ]
        indexes = [
            models.Index(fields=("expires_at",), name="reservation_open", condition=Q(state__in=("held", "dispatched")))
        ]


class UsageEntry(WorkspaceOwned):
    """One line of the ledger, for paid and free answers alike. Never changed and never deleted: a mistake is put right
    by another line.

    Who and what are plain ids, so that a line outlives the member, key, run or text it names.
    """

    class Basis(models.TextChoices):
        EXACT = "exact", "What the provider's usage costs"
        CEILING = "ceiling", "Usage unknown: the most it can cost"
        CORRECTION = "correction", "The truth about an earlier line"
        FREE = "free", "A free answer"

    # No index of its own: `entry_newest` begins with it.
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+", db_index=False)
    reservation_id = models.UUIDField(null=True, help_text="And so of the model call.")
    entry_no = models.PositiveSmallIntegerField(default=1)
    basis = models.CharField(max_length=10, choices=Basis.choices)
    source = models.CharField(max_length=12, help_text="model, or the cache layer that answered.")
    endpoint = models.CharField(max_length=20)
    user_id = models.UUIDField(null=True)
    api_key_id = models.UUIDField(null=True)
    run_id = models.UUIDField(null=True)
    text_id = models.UUIDField(null=True)
    provider = models.CharField(max_length=60, blank=True)
    model_id = models.CharField(max_length=100, blank=True)
    tier = models.CharField(max_length=10, blank=True)
    answers = models.PositiveSmallIntegerField(help_text="1 when a text came of it.")
    calls = models.PositiveSmallIntegerField(help_text="1 for an upstream attempt, 0 for a free answer.")
    input_tokens = models.PositiveIntegerField(default=0, help_text="Not cached.")
    cached_tokens = models.PositiveIntegerField(default=0)
    cache_write_tokens = models.PositiveIntegerField(default=0)
    output_tokens = models.PositiveIntegerField(default=0)
    cost_nanos = models.BigIntegerField(help_text="Negative only in a correction.")
    saved_nanos = models.BigIntegerField(default=0, help_text="What the answer cost when it was first written.")
    price_version = models.CharField(max_length=40, blank=True)
    occurred_at = models.DateTimeField(help_text="Decides the hour, day and month it counts in.")
    recorded_at = models.DateTimeField(db_default=Now())

    objects = TenantQuerySet["UsageEntry"].as_manager()

    class Meta:
        verbose_name = "ledger entry"
        verbose_name_plural = "ledger entries"
        ordering = ("-occurred_at",)
        constraints = [
            models.UniqueConstraint(fields=("reservation_id", "entry_no"), name="entry_once_per_attempt"),
            models.CheckConstraint(
                name="entry_cost_not_negative", condition=Q(cost_nanos__gte=0) | Q(basis="correction")
            ),
            models.CheckConstraint(name="entry_free_costs_nothing", condition=~Q(basis="free") | Q(cost_nanos=0)),
        ]
        indexes = [
            models.Index(fields=("workspace", "-occurred_at", "-id"), name="entry_newest"),
            models.Index(fields=("recorded_at",), name="entry_recorded"),
        ]
