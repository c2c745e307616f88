from __future__ import annotations

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("generation", "0005_nights"),
    ]

    operations = [
        migrations.AddField(
            model_name="product",
            name="family",
            field=models.CharField(
                blank=True,
                help_text="What variants share, as generation.families has it; empty without one.",
                max_length=120,
            ),
        ),
        migrations.AddField(
            model_name="text",
            name="rejected_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="text",
            name="rejection",
            field=models.TextField(blank=True, help_text="Why it was not usable, in the words of whoever said so."),
        ),
    ]
