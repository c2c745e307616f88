from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from accounts.models import Tier
from generation.facts import LANGUAGES, LENGTHS, Task
from generation.models.providers import LlmModel

TASKS = [(task.value, task.value.capitalize()) for task in Task]


def _choice_of(values: tuple[str, ...]) -> models.CharField[str, str]:
    return models.CharField(max_length=6, choices=[(value, value) for value in values])


class RoutingRule(models.Model):
    """Where requests of a kind go: the first rule that matches counts. Only for those that leave the tier to us."""

    position = models.PositiveSmallIntegerField(default=0, help_text="Rules are tried from the lowest to the highest.")
    name = models.CharField(max_length=80, unique=True, help_text="Customers read it where their text came from.")
    is_enabled = models.BooleanField(default=True)
    tasks = ArrayField(
        models.CharField(max_length=12, choices=TASKS), default=list, blank=True, help_text="Empty: any task."
    )
    languages = ArrayField(_choice_of(LANGUAGES), default=list, blank=True, help_text="Empty: any.")
    lengths = ArrayField(_choice_of(LENGTHS), default=list, blank=True, help_text="Empty: any length.")
    fewest_facts = models.PositiveSmallIntegerField(null=True, blank=True)
    most_facts = models.PositiveSmallIntegerField(null=True, blank=True)
    has_wishes = models.BooleanField(
        null=True, blank=True, help_text="Whether the shop has instructions or a voice of its own. Unknown: either."
    )
    tier = models.CharField(max_length=10, choices=Tier.choices)
    model = models.ForeignKey(
        LlmModel,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text="Asked first among its tier's; the others stand in for it. Empty: in the providers' order.",
    )

    class Meta:
        ordering = ("position", "name")
        constraints = [
            models.CheckConstraint(name="routing_rule_known_tier", condition=Q(tier__in=Tier.values)),
            models.CheckConstraint(
                name="routing_rule_facts_in_order",
                condition=Q(fewest_facts=None) | Q(most_facts=None) | Q(fewest_facts__lte=F("most_facts")),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class EconomyOutcome(models.Model):
    """How texts of one kind of product fared with economy models, over all workspaces: what is learned, and all that
    is. Beyond a few hundred the older ones count ever less."""

    category = models.CharField(max_length=80, blank=True, help_text="As shops call it, folded; empty without one.")
    task = models.CharField(max_length=12, choices=TASKS)
    language = models.CharField(max_length=2)
    passed = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ("-failed", "category")
        constraints = [
            models.UniqueConstraint(fields=("category", "task", "language"), name="economy_outcome_once_per_kind")
        ]

    def __str__(self) -> str:
        return f"{self.category or 'no category'} ({self.task}, {self.language})"


class Learning(models.Model):
    """The switch. One row."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    is_on = models.BooleanField(
        default=True, help_text="Off: every kind of product starts where the rules say, and nothing more is learned."
    )
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "learning"
        constraints = [models.CheckConstraint(name="one_learning", condition=Q(id=1))]

    def __str__(self) -> str:
        return "Learning"
