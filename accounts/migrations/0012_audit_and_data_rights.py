from __future__ import annotations

import uuid
from pathlib import Path

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

SQL = Path(__file__).resolve().parent.parent / "sql"
DROP = """
DROP TRIGGER keep_audit ON accounts_auditentry;
DROP FUNCTION accounts_keep_audit();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0011_sign_in"),
    ]

    operations = [
        migrations.AddField(
            model_name="workspace",
            name="closes_at",
            field=models.DateTimeField(
                blank=True,
                editable=False,
                help_text="It is being deleted: read-only, and gone from then on.",
                null=True,
            ),
        ),
        migrations.AlterField(
            model_name="notice",
            name="kind",
            field=models.CharField(
                choices=[
                    ("budget", "Budget threshold"),
                    ("quota", "Quota threshold"),
                    ("week", "Weekly summary"),
                    ("staff", "For the staff"),
                    ("billing", "Payment and plan"),
                    ("rights", "Archive and deletion"),
                ],
                max_length=10,
            ),
        ),
        migrations.CreateModel(
            name="Archive",
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
                ("percent", models.PositiveSmallIntegerField(default=0)),
                ("row_count", models.PositiveBigIntegerField(default=0)),
                ("file_count", models.PositiveIntegerField(default=0)),
                ("size_bytes", models.PositiveBigIntegerField(default=0)),
                ("expires_at", models.DateTimeField(help_text="Once it is there: when it is dropped.", null=True)),
                (
                    "requested_by",
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
                        on_delete=django.db.models.deletion.CASCADE, related_name="archives", to="accounts.workspace"
                    ),
                ),
            ],
            options={
                "ordering": ("-created_at",),
            },
        ),
        migrations.CreateModel(
            name="ArchivePart",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("position", models.PositiveIntegerField()),
                ("content", models.BinaryField()),
                (
                    "archive",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="parts", to="accounts.archive"
                    ),
                ),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.workspace"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "actor",
                    models.CharField(
                        choices=[
                            ("user", "Member"),
                            ("key", "API key"),
                            ("staff", "ContentOpt staff"),
                            ("system", "ContentOpt"),
                        ],
                        max_length=6,
                    ),
                ),
                ("user_id", models.UUIDField(help_text="Of the person, also of staff.", null=True)),
                ("api_key_id", models.UUIDField(null=True)),
                ("action", models.CharField(max_length=40)),
                ("target_kind", models.CharField(blank=True, max_length=30)),
                ("target_id", models.CharField(blank=True, max_length=60)),
                (
                    "details",
                    models.JSONField(
                        default=dict, help_text="Figures and short words; no secrets, no texts, no addresses."
                    ),
                ),
                ("address", models.GenericIPAddressField(null=True)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "workspace",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.workspace",
                    ),
                ),
            ],
            options={
                "verbose_name": "audit entry",
                "verbose_name_plural": "audit entries",
                "ordering": ("-created_at", "-id"),
            },
        ),
        migrations.CreateModel(
            name="Deletion",
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
                ("erases_at", models.DateTimeField()),
                (
                    "requested_by",
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
                        on_delete=django.db.models.deletion.CASCADE, related_name="deletions", to="accounts.workspace"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Retention",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("old_version_days", models.PositiveIntegerField(blank=True, null=True)),
                ("import_file_days", models.PositiveIntegerField(blank=True, null=True)),
                ("model_call_days", models.PositiveIntegerField(default=30)),
                ("stream_days", models.PositiveIntegerField(default=2)),
                (
                    "workspace",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="retention", to="accounts.workspace"
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="archive",
            index=models.Index(
                condition=models.Q(("state__in", ("queued", "running", "paused"))),
                fields=["next_run_at"],
                name="archive_open",
            ),
        ),
        migrations.AddIndex(
            model_name="archive",
            index=models.Index(fields=["workspace", "-created_at"], name="archive_newest"),
        ),
        migrations.AddConstraint(
            model_name="archive",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ("queued", "running", "paused"))),
                fields=("workspace",),
                name="one_archive_made",
            ),
        ),
        migrations.AddConstraint(
            model_name="archive",
            constraint=models.CheckConstraint(condition=models.Q(("percent__lte", 100)), name="archive_percent"),
        ),
        migrations.AddConstraint(
            model_name="archivepart",
            constraint=models.UniqueConstraint(fields=("archive", "position"), name="archive_part_once"),
        ),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(fields=["workspace", "-created_at", "-id"], name="audit_newest"),
        ),
        migrations.AddConstraint(
            model_name="auditentry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("actor", "system"), ("api_key_id", None), ("user_id", None)),
                    models.Q(("actor__in", ("user", "staff")), ("user_id__isnull", False)),
                    models.Q(("actor", "key"), ("api_key_id__isnull", False)),
                    _connector="OR",
                ),
                name="audit_names_its_actor",
            ),
        ),
        migrations.AddIndex(
            model_name="deletion",
            index=models.Index(
                condition=models.Q(("state__in", ("queued", "running", "paused"))),
                fields=["next_run_at"],
                name="deletion_open",
            ),
        ),
        migrations.AddConstraint(
            model_name="deletion",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "cancelled"), _negated=True),
                fields=("workspace",),
                name="one_deletion_at_a_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="deletion",
            constraint=models.CheckConstraint(
                condition=models.Q(("next_run_at__gte", models.F("erases_at"))), name="deletion_runs_after_its_grace"
            ),
        ),
        migrations.AddConstraint(
            model_name="retention",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("old_version_days", None), ("old_version_days__gte", 1), _connector="OR"),
                    models.Q(("import_file_days", None), ("import_file_days__gte", 1), _connector="OR"),
                    ("model_call_days__gte", 1),
                    ("stream_days__gte", 1),
                ),
                name="retention_at_least_a_day",
            ),
        ),
        migrations.RunSQL((SQL / "audit.sql").read_text(), DROP),
        migrations.RunSQL((SQL / "budgets.sql").read_text(), migrations.RunSQL.noop),
    ]
