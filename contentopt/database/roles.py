"""Two roles: the owner's migrations make the tables, the application reads and writes their rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connections
from psycopg import sql

from contentopt.tenancy import across_workspaces

# No TRUNCATE, REFERENCES or TRIGGER: policies do not hold for the first, the rest is the owner's work.
GRANTS = (
    "GRANT USAGE ON SCHEMA public TO {}",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {}",
    "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {}",
)


@contextmanager
def as_owner(alias: str) -> Iterator[None]:
    connection: Any = connections[alias]
    with connection.as_owner(), across_workspaces():
        yield


def grant_to_application(alias: str) -> None:
    """After migrations, as the owner: what the application's role may do to the tables there are."""
    connection: Any = connections[alias]
    application = connections.settings[alias]["USER"]
    if application == connection.settings_dict["USER"]:
        return
    with connection.cursor() as cursor:
        for grant in GRANTS:
            cursor.execute(sql.SQL(grant).format(sql.Identifier(application)).as_string(None))
