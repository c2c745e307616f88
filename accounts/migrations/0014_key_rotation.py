from __future__ import annotations

import uuid

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models
from django.db.models import F, Q
from django.db.models.functions import Now

# Uses are noted every minute, which changes nothing that anybody remembers.
TRIGGER = """
DROP TRIGGER retire_account_of_key ON accounts_apikey;
CREATE TRIGGER retire_account_of_key AFTER UPDATE ON accounts_apikey
    FOR EACH ROW WHEN (to_jsonb(OLD) - %s IS DISTINCT FROM to_jsonb(NEW) - %s)
    EXECUTE FUNCTION accounts_retire_account('workspace_id');
"""
NOTED = "'{last_used_at,secret_used_at,previous_used_at}'::text[]"
BEFORE = "'last_used_at'"


def date_secrets(apps, _schema_editor):
    keys = apps.get_model("accounts", "ApiKey")
    keys._base_manager.update(secret_created_at=F("created_at"))


class Migration(migrations.Migration):
    dependencies = [("accounts", "0009_standing_and_prices")]
    operations = [
        migrations.AddField(
            "apikey",
            "secret_hint",
            models.CharField(blank=True, editable=False, help_text="The secret's last characters.", max_length=4),
        ),
        migrations.AddField("apikey", "secret_created_at", models.DateTimeField(default=django.utils.timezone.now)),
        migrations.AddField(
            "apikey",
            "secret_used_at",
            models.DateTimeField(blank=True, help_text="Noted while there are two secrets.", null=True),
        ),
        migrations.AddField(
            "apikey",
            "previous_sha256",
            models.CharField(blank=True, default="", editable=False, max_length=64),
            preserve_default=False,
        ),
        migrations.AddField(
            "apikey",
            "previous_hint",
            models.CharField(blank=True, default="", editable=False, max_length=4),
            preserve_default=False,
        ),
        migrations.AddField("apikey", "previous_created_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField("apikey", "previous_used_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField("apikey", "previous_ends_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField(
            "apikey",
            "expires_at",
            models.DateTimeField(blank=True, help_text="It is refused from then on. Empty: never.", null=True),
        ),
        migrations.RunPython(date_secrets, migrations.RunPython.noop),
        migrations.AddConstraint(
            "apikey",
            models.CheckConstraint(
                condition=Q(previous_ends_at=None, previous_sha256="")
                | (~Q(previous_sha256="") & Q(previous_ends_at__isnull=False)),
                name="api_key_previous_secret_ends",
            ),
        ),
        migrations.RunSQL(TRIGGER % (NOTED, NOTED), TRIGGER % (BEFORE, BEFORE)),
        migrations.CreateModel(
            name="IdempotentRequest",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("idempotency_key", models.CharField(max_length=255)),
                (
                    "request_hash",
                    models.CharField(help_text="Of what was asked for: method, address and body.", max_length=64),
                ),
                ("lease_token", models.UUIDField(editable=False)),
                ("lease_until", models.DateTimeField(editable=False, null=True)),
                ("status", models.PositiveSmallIntegerField(null=True)),
                ("headers", models.JSONField(default=dict)),
                ("reply", models.BinaryField(help_text="The body; encrypted where it holds a secret.", null=True)),
                ("created_at", models.DateTimeField(db_default=Now())),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "api_key",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.apikey"
                    ),
                ),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.workspace"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["created_at"], name="idempotent_request_oldest")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("workspace", "idempotency_key"), name="request_once_per_idempotency_key"
                    ),
                    models.CheckConstraint(
                        condition=Q(finished_at=None, lease_until__isnull=False, reply=None, status=None)
                        | Q(finished_at__isnull=False, lease_until=None, reply__isnull=False, status__isnull=False),
                        name="idempotent_request_is_open_or_done",
                    ),
                ],
            },
        ),
    ]
