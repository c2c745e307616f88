"""Row-level security of tenants' tables, one line of a migration for each.

    operations = [protect("generation_comment")]

`tests/test_second_wall.py` asks PostgreSQL which tables have it. The sub-selects are evaluated once for a statement,
not once for each row. FORCE binds the tables' owner too; only a superuser or a role with BYPASSRLS gets past, and the
product does not serve as one (`contentopt.database.wall`).
"""

from __future__ import annotations

from django.db.migrations import RunSQL

from contentopt.tenancy import ACROSS, SETTING

# Never set in this session it is NULL, set in an earlier transaction it is empty: both see nothing.
_ENTERED = f"current_setting('{SETTING}', true)"
_OWN = f"workspace_id = (SELECT nullif(nullif({_ENTERED}, ''), '{ACROSS}')::uuid) OR (SELECT {_ENTERED} = '{ACROSS}')"
_PROTECT = """
ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
ALTER TABLE {table} FORCE ROW LEVEL SECURITY;
CREATE POLICY workspace ON {table} USING ({own}) WITH CHECK ({own});
"""
_EXPOSE = """
DROP POLICY workspace ON {table};
ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY;
ALTER TABLE {table} DISABLE ROW LEVEL SECURITY;
"""


def protect(*tables: str) -> RunSQL:
    """Only the entered workspace's rows can be seen, changed, made or left behind. One operation for all: before each,
    Django makes its picture of all models anew."""
    return RunSQL(
        "".join(_PROTECT.format(table=table, own=_OWN) for table in tables),
        "".join(_EXPOSE.format(table=table) for table in tables),
    )


def allow(table: str, *commands: str, rows: str) -> RunSQL:
    """Beyond `protect`: these rows, from whatever workspace. Commands are SELECT, INSERT, UPDATE and DELETE."""
    clauses = {"INSERT": f"WITH CHECK ({rows})", "UPDATE": f"USING ({rows}) WITH CHECK ({rows})"}
    names = {command: f"platform_{command.lower()}" for command in commands}
    return RunSQL(
        "".join(
            f"CREATE POLICY {name} ON {table} FOR {command} {clauses.get(command, f'USING ({rows})')};"
            for command, name in names.items()
        ),
        "".join(f"DROP POLICY {name} ON {table};" for name in names.values()),
    )
