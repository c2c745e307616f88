from __future__ import annotations

from typing import Any

from django.core.management.commands import flush

from contentopt.database.roles import as_owner


class Command(flush.Command):
    """As the owner: the application's role may not TRUNCATE, which asks no policy."""

    def handle(self, *args: Any, **options: Any) -> None:
        with as_owner(options["database"]):
            super().handle(*args, **options)
