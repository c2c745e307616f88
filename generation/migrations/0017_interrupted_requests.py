from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("generation", "0016_second_wall"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="comment",
            name="comment_once_per_idempotency_key",
        ),
        migrations.RemoveField(
            model_name="comment",
            name="idempotency_key",
        ),
        migrations.RemoveField(
            model_name="comment",
            name="request_hash",
        ),
        migrations.AddField(
            model_name="refinement",
            name="idempotency_key",
            field=models.CharField(blank=True, max_length=255, null=True),
        ),
        migrations.AddField(
            model_name="refinement",
            name="request_hash",
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AddConstraint(
            model_name="refinement",
            constraint=models.UniqueConstraint(
                condition=models.Q(("idempotency_key__isnull", False)),
                fields=("workspace", "idempotency_key"),
                name="refinement_once_per_idempotency_key",
            ),
        ),
    ]
