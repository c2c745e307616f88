from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import NotSupportedError
from django.db.backends.base.base import NO_DB_ALIAS
from django.db.backends.postgresql import base

from contentopt.database.creation import DatabaseCreation
from contentopt.database.cursor import WalledCursor, forget
from contentopt.database.wall import require


class DatabaseWrapper(base.DatabaseWrapper):
    """Connects as the application's role, which owns nothing. `as_owner` is for migrations and test databases."""

    creation_class = DatabaseCreation
    is_owner = False

    def get_connection_params(self) -> dict[str, Any]:
        return {**super().get_connection_params(), "cursor_factory": WalledCursor}

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        connection = super().get_new_connection(conn_params)
        if not (self.is_owner or self.alias == NO_DB_ALIAS or getattr(connection, "is_walled", False)):
            self._require_wall(connection)
        return connection

    def create_cursor(self, name: str | None = None) -> Any:
        if name:
            raise NotSupportedError("A server-side cursor outlives the workspace it was opened in: use iterator()")
        return super().create_cursor()

    @contextmanager
    def as_owner(self) -> Iterator[None]:
        """On a connection of its own, outside of the pool. Without an owner's address the one role does both."""
        application = self.settings_dict
        options = {name: value for name, value in application["OPTIONS"].items() if name != "pool"}
        self.close()
        self.settings_dict = {**application, "OPTIONS": options, **application.get("OWNER", {})}
        self.is_owner = True
        try:
            yield
        finally:
            self.close()
            self.settings_dict = application
            self.is_owner = False

    @contextmanager
    def _nodb_cursor(self) -> Iterator[Any]:
        with self.as_owner(), super()._nodb_cursor() as cursor:
            yield cursor

    def _savepoint_rollback(self, sid: str) -> None:
        super()._savepoint_rollback(sid)  # type: ignore[misc]  # Django's own, which its stubs leave out
        forget(self.connection)

    def _require_wall(self, connection: Any) -> None:
        """Once for each connection of the pool."""
        connection.autocommit = True
        try:
            require(connection)
        except BaseException:
            connection.close()
            if self.pool:
                self.pool.putconn(connection)
            raise
        connection.is_walled = True
