"""The product does not serve where the second wall can be passed: asked of every new connection, in one query."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence
from typing import Any

import structlog
from django.core.checks import CheckMessage, Error
from django.core.exceptions import ImproperlyConfigured
from django.db import DEFAULT_DB_ALIAS, OperationalError, connections

from contentopt.tenancy import SETTING, outside_workspaces

log = structlog.get_logger()

# A superuser is a member of every role. Tables of other programs have no such column.
_FAULTS = f"""
SELECT EXISTS (SELECT FROM pg_roles WHERE (rolsuper OR rolbypassrls) AND pg_has_role(current_user, oid, 'MEMBER')),
       COALESCE(current_setting('{SETTING}', true), '') <> '',
       ARRAY(SELECT c.relname::text FROM pg_class c
              WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
                AND EXISTS (SELECT FROM pg_attribute a
                             WHERE a.attrelid = c.oid AND a.attname = 'workspace_id' AND NOT a.attisdropped)
                AND NOT (c.relrowsecurity AND c.relforcerowsecurity
                         AND EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid))
              ORDER BY 1)
"""  # noqa: S608


class WallMissing(ImproperlyConfigured):
    """Rows of one workspace could be read in another."""


def require(connection: Any) -> None:
    """Raises WallMissing. Of a connection that has just been opened, outside of any transaction."""
    with outside_workspaces(), connection.cursor() as cursor:
        passes, is_inside, bare = cursor.execute(_FAULTS).fetchone()
    if passes:
        raise WallMissing(
            "DATABASE_URL signs in as a superuser, or as a role that may become one or has BYPASSRLS: no policy holds "
            "for it. Make it a role of its own, and give the owner's address as MIGRATION_DATABASE_URL."
        )
    if is_inside:
        raise WallMissing(f"DATABASE_URL or the role sets {SETTING} by itself: take that out.")
    if bare:
        raise WallMissing(f"No row-level security on {', '.join(bare)}: run `manage.py migrate`.")


def refuse_to_start() -> None:
    """For a process that serves. With PostgreSQL away it may start: its connections are asked when there are any."""
    try:
        _connect()
    except WallMissing as fault:
        log.critical("refused_to_start", reason=str(fault))
        sys.exit(f"ContentOpt does not serve: {fault}")
    except OperationalError as error:
        log.warning("started_without_postgres", error=type(error).__name__)


def check(databases: Sequence[str] | None = None, **_options: Any) -> list[CheckMessage]:
    """For `manage.py check --database default`. Migrations, which build the wall, are not asked."""
    connection: Any = connections[DEFAULT_DB_ALIAS]
    if DEFAULT_DB_ALIAS not in (databases or ()) or connection.is_owner:
        return []
    try:
        _connect()
    except WallMissing as fault:
        return [Error(str(fault), id="contentopt.E010")]
    return []


def _connect() -> None:
    """Once, beside the pool, which must not cross a fork."""
    own = connections.create_connection(DEFAULT_DB_ALIAS)
    options = {name: value for name, value in own.settings_dict["OPTIONS"].items() if name != "pool"}
    own.settings_dict = {**own.settings_dict, "OPTIONS": options}
    with contextlib.closing(own):
        own.ensure_connection()
