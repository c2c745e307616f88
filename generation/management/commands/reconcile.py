from __future__ import annotations

import sys
from argparse import ArgumentParser
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand
from rich.console import Console
from rich.table import Table

from accounts.models import Reconciliation
from accounts.reconciling import DAYS
from generation.reconciling import reconcile


class Command(BaseCommand):
    help = "Compare budgets, reservations, rollups and model calls with the ledger now. Exit code 1 on any difference."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--days", type=int, default=DAYS, help=f"how far to look back; default: {DAYS}")

    def handle(self, *_args: Any, **options: Any) -> None:
        found = reconcile(datetime.now(UTC) - timedelta(days=options["days"]))
        show(found, Console(file=self.stdout))  # type: ignore[arg-type]  # Django's wrapper writes like a file
        if not found.is_balanced:
            sys.exit(1)


def show(found: Reconciliation, console: Console) -> None:
    counts = ", ".join(f"{count} {name}" for name, count in found.checked.items())
    if found.is_balanced:
        console.print(f"[green]The books balance.[/] Compared: {counts}.")
        return
    table = Table("What", "Found", "Expected", title=f"{len(found.differences)} differences; compared: {counts}")
    for difference in found.differences:
        table.add_row(difference["what"], difference["found"], difference["expected"])
    console.print(table)
