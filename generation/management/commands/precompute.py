from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.dollars import most_usd, usd
from accounts.models import Workspace
from contentopt.errors import DomainError
from contentopt.jobs import UNFINISHED, JobState
from contentopt.tenancy import entering
from generation.nights import items
from generation.nights.planning import Plan
from generation.services import nights

PLANNING_POLL_SECONDS = 0.2


class Command(BaseCommand):
    help = (
        "Write ahead, at once, what tonight would: for every workspace that lets its nights spend something, and for "
        "the platform the public pool. Repeating it goes on with what tonight's budget has left."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--dry-run", action="store_true", help="only say what would be written, why and for how much"
        )
        parser.add_argument("--workspace", metavar="SLUG", help="only this one")

    def handle(self, *_args: Any, **options: Any) -> None:
        for workspace in find_workspaces(options["workspace"]):
            with entering(workspace.pk):
                plan = nights.tonight(workspace)
                self.stdout.write(f"{workspace.slug}: {in_words(plan)}")
                if not options["dry_run"] and plan.items:
                    self.write(workspace)

    def write(self, workspace: Workspace) -> None:
        """Here and now, beside whatever workers there are: an item is written by whoever claims it first."""
        try:
            night = nights.start_night(workspace)
        except DomainError as error:
            raise CommandError(error.message) from error
        items.plan_night(night.pk)
        night.refresh_from_db()
        while night.state in UNFINISHED:  # a worker was quicker, and plans it
            time.sleep(PLANNING_POLL_SECONDS)
            night.refresh_from_db()
        for item_id in night.items.filter(state=JobState.QUEUED).values_list("pk", flat=True):
            items.write_ahead(item_id, publish_next=False)
        figures = nights.figures_of([night])[0]
        cost = usd(figures.cost_nanos)
        waiting = f", {figures.waiting} still being written" if figures.waiting else ""
        self.stdout.write(f"  {figures.written} written for {cost}, {figures.failed} failed{waiting}")
        for title, failure in night.items.filter(state=JobState.FAILED).values_list("title", "failure"):
            self.stdout.write(f"  {title}: {failure}")


def find_workspaces(slug: str | None) -> list[Workspace]:
    if slug is None:
        return list(Workspace.objects.filter(night_cap_nanos__gt=0).order_by("slug"))
    workspace = Workspace.objects.filter(slug=slug).first()
    if workspace is None:
        raise CommandError(f"There is no workspace “{slug}”.")
    if not workspace.night_cap_nanos:
        raise CommandError(f"{workspace} writes nothing ahead: its cap for a night is $0.")
    return [workspace]


def in_words(plan: Plan) -> str:
    if not plan.items:
        return "nothing to write"
    more = ", and there would be more" if plan.is_cut else ""
    why = "; ".join(f"{count} × {reason[0].lower()}{reason[1:]}" for reason, count in plan.reasons)
    texts = "1 text" if len(plan.items) == 1 else f"{len(plan.items)} texts"
    return f"{texts}, at most {most_usd(plan.ceiling_nanos)}{more} ({why})"
