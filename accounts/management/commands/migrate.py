from __future__ import annotations

from typing import Any

from django.core.management.commands import migrate

from contentopt.database.roles import as_owner, grant_to_application


class Command(migrate.Command):
    """As the role that owns the tables, and across workspaces; then the application's role may use what there is."""

    def handle(self, *args: Any, **options: Any) -> None:
        with as_owner(options["database"]):
            super().handle(*args, **options)
            if not (options["check_unapplied"] or options["plan"]):
                grant_to_application(options["database"])
