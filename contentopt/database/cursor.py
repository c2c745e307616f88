"""A statement and the workspace it may see go to PostgreSQL in one message.

`SELECT set_config(…, true); <statement>` is one simple query: one round trip and one transaction, at whose end the
setting is gone. Inside a transaction it is sent with the first statement, and again when something else was entered.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn, Self

from django.db import NotSupportedError
from django.db.backends.postgresql.base import Cursor
from psycopg import ClientCursor, sql
from psycopg.pq import TransactionStatus

from contentopt.tenancy import OUTSIDE, SETTING, entered

ENTER = f"SELECT set_config('{SETTING}', %s, true); "
UNKNOWN = "unknown"


def forget(connection: Any) -> None:
    """What the transaction has entered may have been rolled back: say it again."""
    connection.entered_workspace = UNKNOWN


class WalledCursor(Cursor, ClientCursor[Any]):
    def execute(self, query: Any, params: Any = None, **options: Any) -> Self:
        if not query or not self._must_enter():
            return super().execute(query, params, **options)
        if isinstance(query, sql.Composable):
            query = query.as_string(self.connection)
        if params is None or isinstance(params, Mapping):
            query = ENTER.replace("%s", f"'{entered()}'") + query
        else:
            # The id is a parameter, so that psycopg takes the statement apart once, not once for every workspace.
            query, params = ENTER + query, (entered(), *params)
        super().execute(query, params, **options)
        self.nextset()
        return self

    def executemany(self, *_arguments: Any, **_options: Any) -> NoReturn:
        raise NotSupportedError("executemany would run outside of the workspace: use execute, or one statement")

    def copy(self, *_arguments: Any, **_options: Any) -> NoReturn:
        raise NotSupportedError("COPY would run outside of the workspace, and cannot write where rows have policies")

    def stream(self, *_arguments: Any, **_options: Any) -> NoReturn:
        raise NotSupportedError("stream would run outside of the workspace: use execute")

    def _must_enter(self) -> bool:
        connection: Any = self.connection
        wanted, status = entered(), connection.pgconn.transaction_status
        if status == TransactionStatus.INTRANS:
            must = wanted != getattr(connection, "entered_workspace", UNKNOWN)
        else:
            # Idle: a transaction begins here, be it for this statement alone. Aborted: only a rollback is taken.
            must = wanted != OUTSIDE and status == TransactionStatus.IDLE
        connection.entered_workspace = wanted if status != TransactionStatus.INERROR else UNKNOWN
        return must
