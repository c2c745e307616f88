from __future__ import annotations

from pathlib import Path
from typing import Any

from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql" / "budgets.sql"
DROP = """
DROP FUNCTION accounts_apply_limits(uuid);
DROP FUNCTION accounts_close(uuid, text, bigint, jsonb);
DROP FUNCTION accounts_tell_exhausted(bigint);
DROP FUNCTION accounts_tell(accounts_budget, int[]);
DROP FUNCTION accounts_reserve(uuid, uuid, uuid, uuid, uuid, bigint, int, jsonb);
DROP FUNCTION accounts_verdict(bigint, bigint, bigint, bigint);
DROP FUNCTION accounts_scopes_of(uuid, uuid, uuid, uuid);
DROP FUNCTION accounts_limit_of(uuid, text, uuid);
DROP FUNCTION accounts_rank(text);
"""

PLATFORM_WORKSPACE = "00000000-0000-4000-8000-000000000001"
DOLLAR = 1_000_000_000
# Requests in the last hour -> per cent of the plan's burst.
STEPS = {"pro": {100: 67, 200: 33}, "enterprise": {1_500: 75, 3_000: 50, 4_500: 25}}


def seed(apps: Any, _schema_editor: Any) -> None:
    """Starting values for staff to edit. What visitors try is paid by the platform, so it has a cap of its own."""
    apps.get_model("accounts", "Platform").objects.get_or_create(pk=1, defaults={"day_limit_nanos": 100 * DOLLAR})
    workspaces = apps.get_model("accounts", "Workspace").objects.filter(pk=PLATFORM_WORKSPACE, spend_cap_nanos=None)
    workspaces.update(spend_cap_nanos=10 * DOLLAR)
    plans = apps.get_model("accounts", "Plan").objects
    for slug, steps in STEPS.items():
        plan = plans.filter(slug=slug).first()
        for requests, percent in steps.items() if plan else ():
            plan.limit_steps.get_or_create(requests_in_hour=requests, defaults={"burst_percent": percent})


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_money_and_limits")]
    operations = [
        migrations.RunSQL(SQL.read_text(), DROP),
        migrations.RunPython(seed, migrations.RunPython.noop),
    ]
