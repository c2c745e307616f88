from __future__ import annotations

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0015_review"),
    ]

    operations = [
        migrations.AlterField(
            model_name="apikey",
            name="scopes",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(
                    choices=[
                        ("read", "Read products, texts, runs and usage"),
                        ("write", "Import, write, edit and export"),
                        ("approve", "Approve texts"),
                        ("admin", "API keys and members"),
                        ("billing", "Plan, caps and payment"),
                        ("webhooks", "Webhook endpoints and what was sent to them"),
                    ],
                    max_length=10,
                ),
                default=list,
                size=None,
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
                    ("webhook", "Webhook endpoint in trouble"),
                    ("invitation", "Invitation"),
                    ("team", "Who is in the workspace"),
                    ("rights", "Archive and deletion"),
                    ("mention", "Mentioned in a comment"),
                ],
                max_length=10,
            ),
        ),
    ]
