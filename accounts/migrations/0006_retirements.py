from __future__ import annotations

from pathlib import Path

from django.db import migrations, models
from django.db.models.functions import Now

SQL = Path(__file__).resolve().parent.parent / "sql" / "retiring.sql"
DROP = """
DROP TRIGGER retire_plans ON accounts_limitstep;
DROP TRIGGER retire_plans ON accounts_plan;
DROP TRIGGER retire_account_of_key ON accounts_apikey;
DROP TRIGGER retire_account ON accounts_apikey;
DROP TRIGGER retire_account ON accounts_membership;
DROP TRIGGER retire_account ON accounts_workspace;
DROP FUNCTION accounts_retire_account();
DROP FUNCTION accounts_retire_named();
DROP FUNCTION accounts_retire(text, bigint);
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0005_night_caps")]
    operations = [
        migrations.CreateModel(
            name="Retirement",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=200)),
                (
                    "floor",
                    models.BigIntegerField(
                        help_text="Only what ends by then (Unix ms) is wrong; empty: whatever.", null=True
                    ),
                ),
                ("is_done", models.BooleanField(db_default=False, default=False)),
                ("changed_at", models.DateTimeField(db_default=Now())),
            ],
            options={
                "indexes": [
                    models.Index(condition=models.Q(("is_done", False)), fields=["id"], name="retirement_to_do")
                ]
            },
        ),
        migrations.RunSQL(SQL.read_text(), DROP),
    ]
