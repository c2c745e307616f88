from __future__ import annotations

from typing import Any

from django.db import migrations, models

HIGHEST = {"pro": "standard", "enterprise": "premium", "internal": "premium"}


def seed(apps: Any, _schema_editor: Any) -> None:
    for slug, tier in HIGHEST.items():
        apps.get_model("accounts", "Plan").objects.filter(pk=slug).update(highest_tier=tier)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0007_staff_notices")]
    operations = [
        migrations.AddField(
            model_name="plan",
            name="highest_tier",
            field=models.CharField(
                choices=[("economy", "Economy"), ("standard", "Standard"), ("premium", "Premium")],
                default="economy",
                help_text="The best models that may be asked for, or asked when cheaper ones fail the check.",
                max_length=10,
            ),
        ),
        migrations.RunPython(seed, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="plan",
            constraint=models.CheckConstraint(
                condition=models.Q(("highest_tier__in", ["economy", "standard", "premium"])), name="plan_known_tier"
            ),
        ),
    ]
