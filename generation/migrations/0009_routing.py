from __future__ import annotations

from typing import Any

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

RULES: list[dict[str, Any]] = [
    {
        "position": 10,
        "name": "Long texts from many facts, in a voice of the shop's own",
        "lengths": ["long"],
        "fewest_facts": 25,
        "has_wishes": True,
        "tier": "standard",
    },
    {
        "position": 20,
        "name": "Translations of long texts",
        "tasks": ["translate"],
        "lengths": ["long"],
        "tier": "standard",
    },
    {"position": 90, "name": "Everything else", "tier": "economy"},
]
# Beside the economy models that are so already.
DEFAULTS = ("claude-sonnet-5-5", "gpt-6.1-sol", "claude-opus-5-5", "gpt-5.6-sol")


def seed(apps: Any, _schema_editor: Any) -> None:
    apps.get_model("generation", "Learning").objects.create()
    for rule in RULES:
        apps.get_model("generation", "RoutingRule").objects.create(**rule)
    apps.get_model("generation", "LlmModel").objects.filter(model_id__in=DEFAULTS).update(is_default=True)


class Migration(migrations.Migration):
    dependencies = [
        ("generation", "0008_registry"),
        ("accounts", "0008_plan_tiers"),
    ]

    operations = [
        migrations.CreateModel(
            name="EconomyOutcome",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "category",
                    models.CharField(
                        blank=True, help_text="As shops call it, folded; empty without one.", max_length=80
                    ),
                ),
                (
                    "task",
                    models.CharField(
                        choices=[
                            ("description", "Description"),
                            ("title", "Title"),
                            ("meta", "Meta"),
                            ("bullets", "Bullets"),
                            ("rewrite", "Rewrite"),
                            ("translate", "Translate"),
                        ],
                        max_length=12,
                    ),
                ),
                ("language", models.CharField(max_length=2)),
                ("passed", models.PositiveIntegerField(default=0)),
                ("failed", models.PositiveIntegerField(default=0)),
                ("updated_at", models.DateTimeField(auto_now=True)),
            ],
            options={
                "ordering": ("-failed", "category"),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("category", "task", "language"), name="economy_outcome_once_per_kind"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Learning",
            fields=[
                ("id", models.PositiveSmallIntegerField(default=1, editable=False, primary_key=True, serialize=False)),
                (
                    "is_on",
                    models.BooleanField(
                        default=True,
                        help_text="Off: every kind of product starts where the rules say, and nothing more is learned.",
                    ),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
            ],
            options={
                "verbose_name_plural": "learning",
                "constraints": [models.CheckConstraint(condition=models.Q(("id", 1)), name="one_learning")],
            },
        ),
        migrations.CreateModel(
            name="RoutingRule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "position",
                    models.PositiveSmallIntegerField(
                        default=0, help_text="Rules are tried from the lowest to the highest."
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        help_text="Customers read it where their text came from.", max_length=80, unique=True
                    ),
                ),
                ("is_enabled", models.BooleanField(default=True)),
                (
                    "tasks",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("description", "Description"),
                                ("title", "Title"),
                                ("meta", "Meta"),
                                ("bullets", "Bullets"),
                                ("rewrite", "Rewrite"),
                                ("translate", "Translate"),
                            ],
                            max_length=12,
                        ),
                        blank=True,
                        default=list,
                        help_text="Empty: any task.",
                        size=None,
                    ),
                ),
                (
                    "languages",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("en", "en"),
                                ("de", "de"),
                                ("fr", "fr"),
                                ("es", "es"),
                                ("it", "it"),
                                ("nl", "nl"),
                            ],
                            max_length=6,
                        ),
                        blank=True,
                        default=list,
                        help_text="Empty: any.",
                        size=None,
                    ),
                ),
                (
                    "lengths",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[("short", "short"), ("medium", "medium"), ("long", "long")], max_length=6
                        ),
                        blank=True,
                        default=list,
                        help_text="Empty: any length.",
                        size=None,
                    ),
                ),
                ("fewest_facts", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("most_facts", models.PositiveSmallIntegerField(blank=True, null=True)),
                (
                    "has_wishes",
                    models.BooleanField(
                        blank=True,
                        help_text="Whether the shop has instructions or a voice of its own. Unknown: either.",
                        null=True,
                    ),
                ),
                (
                    "tier",
                    models.CharField(
                        choices=[("economy", "Economy"), ("standard", "Standard"), ("premium", "Premium")],
                        max_length=10,
                    ),
                ),
                (
                    "model",
                    models.ForeignKey(
                        blank=True,
                        help_text="Asked first among its tier's; the others stand in for it. Empty: in the providers' order.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="generation.llmmodel",
                    ),
                ),
            ],
            options={
                "ordering": ("position", "name"),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("tier__in", ["economy", "standard", "premium"])),
                        name="routing_rule_known_tier",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("fewest_facts", None),
                            ("most_facts", None),
                            ("fewest_facts__lte", models.F("most_facts")),
                            _connector="OR",
                        ),
                        name="routing_rule_facts_in_order",
                    ),
                ],
            },
        ),
        migrations.RunPython(seed, migrations.RunPython.noop),
    ]
