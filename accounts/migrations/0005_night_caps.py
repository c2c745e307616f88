from __future__ import annotations

from pathlib import Path
from typing import Any

from django.db import migrations, models

SQL = Path(__file__).resolve().parent.parent / "sql" / "budgets.sql"
PLATFORM_WORKSPACE = "00000000-0000-4000-8000-000000000001"
DOLLAR = 1_000_000_000


def seed(apps: Any, _schema_editor: Any) -> None:
    """What the public pool may cost a night; a starting value for staff to edit."""
    platform = apps.get_model("accounts", "Workspace").objects.filter(pk=PLATFORM_WORKSPACE, night_cap_nanos=None)
    platform.update(night_cap_nanos=DOLLAR)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_budget_functions")]
    operations = [
        migrations.AddField(
            model_name="workspace",
            name="night_cap_nanos",
            field=models.BigIntegerField(
                blank=True,
                help_text="What one night may spend on texts that nobody has asked for yet. Empty or 0: none.",
                null=True,
            ),
        ),
        migrations.AddConstraint(
            model_name="workspace",
            constraint=models.CheckConstraint(
                condition=models.Q(("night_cap_nanos", None), ("night_cap_nanos__gte", 0), _connector="OR"),
                name="workspace_night_cap_nanos_not_negative",
            ),
        ),
        migrations.AlterField(
            model_name="budget",
            name="period_end",
            field=models.DateTimeField(
                help_text="Empty for a run or a night: it has one budget for all its life.", null=True
            ),
        ),
        migrations.AlterField(
            model_name="budget",
            name="scope",
            field=models.CharField(
                choices=[
                    ("platform", "Everyone, today"),
                    ("workspace", "Workspace"),
                    ("member", "Member"),
                    ("key", "API key"),
                    ("run", "Run"),
                    ("night", "Night"),
                ],
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="budget",
            name="scope_id",
            field=models.UUIDField(help_text="Of the workspace, user, API key, run or night; it may be gone by now."),
        ),
        # The functions replace themselves, so going back needs no older text of them.
        migrations.RunSQL(SQL.read_text(), migrations.RunSQL.noop),
        migrations.RunPython(seed, migrations.RunPython.noop),
    ]
