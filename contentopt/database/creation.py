from __future__ import annotations

from typing import Any

from django.db.backends.postgresql import creation

from contentopt.tenancy import across_workspaces


class DatabaseCreation(creation.DatabaseCreation):
    def serialize_db_to_string(self) -> str:
        with across_workspaces():
            return str(super().serialize_db_to_string())

    def deserialize_db_from_string(self, data: Any) -> None:
        with across_workspaces():
            super().deserialize_db_from_string(data)
