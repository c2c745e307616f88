from __future__ import annotations

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql" / "held.sql"


class Migration(migrations.Migration):
    dependencies = [("generation", "0017_interrupted_requests")]
    operations = [
        migrations.RunSQL(
            SQL.read_text(), "DROP FUNCTION generation_held(uuid[], uuid, text, text, text, timestamptz);"
        )
    ]
