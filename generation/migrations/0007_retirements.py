from __future__ import annotations

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql" / "retiring.sql"
DROP = """
DROP TRIGGER retire_route ON generation_llmmodel;
DROP TRIGGER retire_route ON generation_provider;
DROP TRIGGER retire_text_as_it_was ON generation_cachedtext;
DROP TRIGGER retire_text ON generation_cachedtext;
DROP FUNCTION generation_retire_text();
"""


class Migration(migrations.Migration):
    dependencies = [("generation", "0006_decisions_and_families"), ("accounts", "0006_retirements")]
    operations = [migrations.RunSQL(SQL.read_text(), DROP)]
