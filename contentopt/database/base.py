from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

from django.db import NotSupportedError
from django.db.backends.postgresql import base

from contentopt.database.creation import DatabaseCreation
from contentopt.database.cursor import WalledCursor, forget


class DatabaseWrapper(base.DatabaseWrapper):  # type: ignore[misc]
    """Connects as the application's role, which owns nothing. `as_owner` is for migrations and test databases."""

    creation_class = DatabaseCreation

    def get_connection_params(self) -> dict[str, Any]:
        return {**super().get_connection_params(), "cursor_factory": WalledCursor}

    def create_cursor(self, name: str | None = None) -> Any:
        if name:
            self._refuse_server_side_cursors()
        return super().create_cursor()

    @contextmanager
    def as_owner(self) -> Iterator[None]:
        """On a connection of its own, outside of the pool. Without an owner's address the one role does both."""
        application = self.settings_dict
        options = {name: value for name, value in application["OPTIONS"].items() if name != "pool"}
        self.close()
        self.settings_dict = {**application, "OPTIONS": options, **application.get("OWNER", {})}
        try:
            yield
        finally:
            self.close()
            self.settings_dict = application

    @contextmanager
    def _nodb_cursor(self) -> Iterator[Any]:
        with self.as_owner(), super()._nodb_cursor() as cursor:
            yield cursor

    def _savepoint_rollback(self, sid: str) -> None:
        super()._savepoint_rollback(sid)
        forget(self.connection)

    def _refuse_server_side_cursors(self) -> NoReturn:
        raise NotSupportedError("A server-side cursor outlives the workspace it was opened in: use iterator()")
