from __future__ import annotations

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql" / "quotas.sql"
DROP = """
DROP FUNCTION accounts_take_product(uuid, uuid, text, int);
DROP FUNCTION accounts_confirm_product(uuid, uuid, timestamptz, text);
DROP FUNCTION accounts_tell_products(uuid, timestamptz);
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0018_plan_words")]
    operations = [migrations.RunSQL(SQL.read_text(), DROP)]
