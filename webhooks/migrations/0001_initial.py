from __future__ import annotations

import uuid

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.comparison
import django.db.models.functions.datetime
import django.db.models.functions.text
import django.db.models.lookups
from django.conf import settings
from django.db import migrations, models


def same_workspace(table, column, parent):
    """A foreign key that names the workspace: no row can refer to another workspace's, whoever writes it."""
    name = f"{table}_{column}_of_workspace"
    return migrations.RunSQL(
        f"""ALTER TABLE webhooks_{table} ADD CONSTRAINT {name} FOREIGN KEY (workspace_id, {column})
            REFERENCES webhooks_{parent} (workspace_id, id) DEFERRABLE INITIALLY DEFERRED""",
        f"ALTER TABLE webhooks_{table} DROP CONSTRAINT {name}",
    )


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0016_webhook_scope"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Endpoint",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("url", models.CharField(max_length=500)),
                ("description", models.CharField(blank=True, max_length=120)),
                (
                    "event_types",
                    django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=40), size=None),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("enabled", "On"), ("disabled", "Off")], default="enabled", max_length=10
                    ),
                ),
                ("disabled_reason", models.TextField(blank=True, help_text="In words, for whoever finds it off.")),
                ("secret", models.TextField(editable=False)),
                ("old_secret", models.TextField(blank=True, editable=False)),
                ("old_secret_until", models.DateTimeField(help_text="Until then both secrets sign.", null=True)),
                ("failures", models.PositiveIntegerField(default=0)),
                ("first_failed_at", models.DateTimeField(null=True)),
                (
                    "failing_since",
                    models.DateTimeField(help_text="From the failure on that made it a failing endpoint.", null=True),
                ),
                ("warned_at", models.DateTimeField(help_text="When its owners were mailed that it fails.", null=True)),
                (
                    "throttled_until",
                    models.DateTimeField(help_text="It asked to be left alone for so long.", null=True),
                ),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="webhook_endpoints",
                        to="accounts.workspace",
                    ),
                ),
            ],
            options={
                "ordering": ("-created_at",),
            },
        ),
        migrations.CreateModel(
            name="Event",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("type", models.CharField(max_length=40)),
                ("data", models.JSONField()),
                ("key", models.CharField(max_length=120, null=True)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="webhook_events",
                        to="accounts.workspace",
                    ),
                ),
            ],
            options={
                "ordering": ("-created_at",),
            },
        ),
        migrations.CreateModel(
            name="Delivery",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Waiting"),
                            ("running", "Running"),
                            ("paused", "Paused"),
                            ("done", "Done"),
                            ("failed", "Failed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="queued",
                        max_length=10,
                    ),
                ),
                ("attempt", models.PositiveSmallIntegerField(default=0)),
                ("lease_token", models.UUIDField(editable=False, null=True)),
                ("lease_until", models.DateTimeField(editable=False, null=True)),
                ("next_run_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("published_at", models.DateTimeField(editable=False, null=True)),
                ("failure", models.TextField(blank=True, help_text="Why it ended without a result, in plain English.")),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="webhook_deliveries",
                        to="accounts.workspace",
                    ),
                ),
                (
                    "endpoint",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="deliveries",
                        to="webhooks.endpoint",
                    ),
                ),
                (
                    "event",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="deliveries",
                        to="webhooks.event",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "deliveries",
                "ordering": ("-created_at",),
            },
        ),
        migrations.CreateModel(
            name="Attempt",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "lease_token",
                    models.UUIDField(editable=False, help_text="Of the delivery when it was sent.", unique=True),
                ),
                ("status", models.PositiveSmallIntegerField(null=True)),
                ("error", models.TextField(blank=True)),
                ("response", models.TextField(blank=True, help_text="The beginning of its body.")),
                ("seconds", models.FloatField(null=True)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="webhook_attempts",
                        to="accounts.workspace",
                    ),
                ),
                (
                    "delivery",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="attempts",
                        to="webhooks.delivery",
                    ),
                ),
            ],
            options={
                "ordering": ("-created_at",),
                "indexes": [
                    models.Index(fields=["delivery", "-created_at"], name="attempt_newest"),
                    models.Index(fields=["created_at"], name="attempt_oldest"),
                ],
            },
        ),
        migrations.AddIndex(
            model_name="endpoint",
            index=models.Index(fields=["workspace", "-created_at"], name="endpoint_newest"),
        ),
        migrations.AddConstraint(
            model_name="endpoint",
            constraint=models.UniqueConstraint(fields=("workspace", "id"), name="endpoint_of_workspace"),
        ),
        migrations.AddConstraint(
            model_name="endpoint",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ("enabled", "disabled"))), name="endpoint_known_state"
            ),
        ),
        migrations.AddConstraint(
            model_name="endpoint",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("disabled_reason", ""), ("state", "enabled")),
                    models.Q(("state", "disabled"), models.Q(("disabled_reason", ""), _negated=True)),
                    _connector="OR",
                ),
                name="endpoint_off_has_a_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="endpoint",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("old_secret", ""), ("old_secret_until", None)),
                    models.Q(models.Q(("old_secret", ""), _negated=True), ("old_secret_until__isnull", False)),
                    _connector="OR",
                ),
                name="endpoint_old_secret_ends",
            ),
        ),
        migrations.AddConstraint(
            model_name="endpoint",
            constraint=models.CheckConstraint(
                condition=models.Q(("secret", ""), _negated=True), name="endpoint_has_a_secret"
            ),
        ),
        migrations.AddConstraint(
            model_name="endpoint",
            constraint=models.CheckConstraint(
                condition=models.Q(("event_types__len__gt", 0)), name="endpoint_wants_something"
            ),
        ),
        migrations.AddConstraint(
            model_name="endpoint",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "event_types__contained_by",
                        [
                            "run.finished",
                            "text.created",
                            "text.approved",
                            "import.finished",
                            "budget.threshold",
                            "plan.changed",
                        ],
                    )
                ),
                name="endpoint_known_event_types",
            ),
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(fields=["created_at"], name="event_oldest"),
        ),
        migrations.AddConstraint(
            model_name="event",
            constraint=models.UniqueConstraint(fields=("workspace", "id"), name="event_of_workspace"),
        ),
        migrations.AddConstraint(
            model_name="event",
            constraint=models.UniqueConstraint(fields=("workspace", "type", "key"), name="event_once_per_key"),
        ),
        migrations.AddConstraint(
            model_name="event",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "type__in",
                        (
                            "run.finished",
                            "text.created",
                            "text.approved",
                            "import.finished",
                            "budget.threshold",
                            "plan.changed",
                            "webhook.test",
                        ),
                    )
                ),
                name="event_known_type",
            ),
        ),
        migrations.AddConstraint(
            model_name="event",
            constraint=models.CheckConstraint(
                condition=django.db.models.lookups.LessThanOrEqual(
                    django.db.models.functions.text.Length(
                        django.db.models.functions.comparison.Cast("data", models.TextField())
                    ),
                    5000,
                ),
                name="event_is_thin",
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(fields=["workspace", "-created_at"], name="delivery_newest"),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(fields=["endpoint", "-created_at"], name="delivery_newest_of_endpoint"),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("state__in", ("queued", "running"))),
                fields=["endpoint", "next_run_at"],
                name="delivery_next",
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("state__in", ("queued", "running"))), fields=["attempt"], name="delivery_attempts"
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("state", "running")), fields=["workspace", "lease_until"], name="delivery_running"
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("published_at__isnull", False), ("state", "queued")),
                fields=["workspace", "published_at"],
                name="delivery_out",
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(fields=["created_at"], name="delivery_oldest"),
        ),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=models.UniqueConstraint(fields=("workspace", "id"), name="delivery_of_workspace"),
        ),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=models.UniqueConstraint(fields=("event", "endpoint"), name="delivery_once_per_endpoint"),
        ),
        same_workspace("delivery", "endpoint_id", "endpoint"),
        same_workspace("delivery", "event_id", "event"),
        same_workspace("attempt", "delivery_id", "delivery"),
    ]
