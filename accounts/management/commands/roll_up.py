from __future__ import annotations

from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand

from accounts.metering import drain_free_answers, recompute, roll_up


class Command(BaseCommand):
    help = "Bring the rollups up to date, or make them anew from the ledger; readers see the old ones until it is done."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--since", type=date.fromisoformat, metavar="YYYY-MM-DD", help="make this day (UTC) and all later ones anew"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        drain_free_answers()
        if options["since"]:
            recompute(options["since"])
            self.stdout.write(f"Made anew from the ledger since {options['since']}.")
        elif roll_up():
            self.stdout.write("Up to date.")
        else:
            self.stdout.write("Another process is rolling up at this moment.")
