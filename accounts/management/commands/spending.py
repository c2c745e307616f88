from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.dollars import usd
from accounts.services.spending import open_holds, platform_today, resume_spending, stop_spending
from contentopt.tenancy import across_workspaces

TERMINAL = "terminal"


class Command(BaseCommand):
    help = "Stop every paid call of the platform at once, let them go on, or say how today stands."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("what", choices=("stop", "resume", "status"))
        parser.add_argument("--reason", default="", help="why it is stopped; staff see it")

    @across_workspaces()
    def handle(self, *_args: Any, **options: Any) -> None:
        if options["what"] == "stop":
            if not options["reason"].strip():
                raise CommandError("Say why: --reason “…”.")
            stop_spending(reason=options["reason"].strip()[:200], by=TERMINAL)
        if options["what"] == "resume":
            resume_spending(by=TERMINAL)
        self.stdout.write(self.status())

    def status(self) -> str:
        today, holds = platform_today(), open_holds()
        state = f"stopped: {today.reason}" if today.is_stopped else "on"
        limit = "no limit" if today.limit_nanos is None else usd(today.limit_nanos)
        return "\n".join(
            (
                f"paid calls: {state}",
                f"today: {usd(today.spent_nanos)} spent, {usd(today.held_nanos)} held, of {limit}",
                f"open holds: {holds.count}, {usd(holds.amount_nanos)}, {holds.expired} expired",
            )
        )
