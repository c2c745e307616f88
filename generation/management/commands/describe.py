from __future__ import annotations

import contextlib
import hashlib
import json
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.db.models import Q
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from accounts.budgets import Payer
from accounts.emails import public_url
from accounts.models import Role, User, Workspace
from accounts.services.workspaces import create_workspace
from contentopt import jobs
from contentopt.errors import Conflict, DomainError
from contentopt.jobs import UNFINISHED, JobState
from contentopt.tenancy import across_workspaces, entering
from generation.batches import queue
from generation.engine.items import DIED, finish_run, payer_of, write_item
from generation.engine.storing import default_wishes
from generation.exporting import export_file, left_out
from generation.facts import CHANNELS, LANGUAGES, LENGTHS, TONES
from generation.forms import TIER_NAMES
from generation.importing import import_catalogue, keep_file
from generation.models import Catalogue, Product, Run, RunItem
from generation.routing import is_above
from generation.services import retrying, runs
from generation.services.texts import writable_fields

TERMINAL_USER = "terminal@localhost"
POLL_SECONDS = 0.5
DOLLAR = 1_000_000_000


class Command(BaseCommand):
    help = (
        "Describe the products of a catalogue file: IN.csv in, the same file with our cells written out. "
        "Stop it at any time; the same command goes on where it stopped."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("source", metavar="IN.csv", type=Path)
        parser.add_argument("-o", "--output", metavar="OUT.csv", type=Path, required=True)
        parser.add_argument("--workspace", metavar="SLUG", help="default: a workspace of this terminal's own")
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of tables")
        parser.add_argument("--yes", "-y", action="store_true", help="do not ask before spending money")
        parser.add_argument(
            "--later", action="store_true", help="by a provider's batch, at half the price; usually within an hour"
        )
        parser.add_argument("--only-missing", action="store_true", help="leave products alone that have a description")
        parser.add_argument("--tone", choices=TONES, default="neutral")
        parser.add_argument("--length", choices=LENGTHS, default="medium")
        parser.add_argument("--language", choices=LANGUAGES, default="en")
        parser.add_argument("--channel", choices=CHANNELS, default="web")
        parser.add_argument("--tier", choices=TIER_NAMES, default="auto", help="default: the cheapest that passes")

    def handle(self, *_args: Any, **options: Any) -> None:
        # With --json, stdout carries that one object and people read stderr.
        self.console = Console(stderr=options["json"])
        try:
            exit_code = self.describe(options)
        except DomainError as error:
            raise CommandError(error.message) from error
        except KeyboardInterrupt:
            self.console.print("\nStopped. What is written is kept; the same command goes on from here.")
            exit_code = 130
        if exit_code:
            sys.exit(exit_code)

    def describe(self, options: dict[str, Any]) -> int:
        check_paths(options["source"], options["output"])
        workspace = find_workspace(options["workspace"])
        if is_above(options["tier"], workspace.plan.highest_tier):
            raise CommandError(f"The {workspace.plan} plan writes at {workspace.plan.highest_tier} at most.")
        with entering(workspace.pk):
            return self.describe_in(workspace, options)

    def describe_in(self, workspace: Workspace, options: dict[str, Any]) -> int:
        catalogue = self.take_in(workspace, options["source"])
        run = self.open_run(workspace, catalogue, options)
        if run is not None:
            self.work(run)
            run.refresh_from_db()
        written = self.export(catalogue, options["output"])
        return self.report(catalogue, run, options["output"], written, as_json=options["json"])

    # --- The file ---

    def take_in(self, workspace: Workspace, source: Path) -> Catalogue:
        with source.open("rb") as upload:
            catalogue = earlier_import(workspace, source) or keep_file(
                workspace=workspace, upload=upload, filename=source.name
            )
        while not catalogue.is_finished:
            import_catalogue(catalogue.pk)
            catalogue.refresh_from_db()
            if not catalogue.is_finished:
                time.sleep(POLL_SECONDS)
        if catalogue.status != Catalogue.Status.READY:
            reason = catalogue.format_reason or catalogue.failure
            if catalogue.status == Catalogue.Status.NEEDS_MAPPING:
                reason += " Upload it once in the browser and name its columns there; this command remembers them."
            raise CommandError(f"{source.name} was not imported: {reason}")
        self.show_file(catalogue)
        return catalogue

    def show_file(self, catalogue: Catalogue) -> None:
        dialect = catalogue.dialect
        self.console.print(
            f"[bold]{catalogue.filename}[/]  {catalogue.format} · {dialect['encoding']} · "
            f"{catalogue.row_count} rows · {catalogue.product_count} products · "
            f"{catalogue.problems.count()} notes on rows"
        )

    # --- The run ---

    def open_run(self, workspace: Workspace, catalogue: Catalogue, options: dict[str, Any]) -> Run | None:
        chosen = {name: options[name] for name in ("tone", "length", "language", "channel", "tier")}
        wishes = default_wishes(writable_fields(catalogue.mapping), **chosen)
        earlier = catalogue.runs.exclude(state=Run.State.CANCELLED).order_by("-created_at").first()
        covers = earlier and (options["only_missing"] or earlier.item_count == catalogue.product_count)
        if earlier and covers and earlier.brief == wishes:
            return self.resume(workspace, earlier)
        products = runs.selected(
            Product.objects.in_workspace(workspace).filter(catalogue=catalogue), only_missing=options["only_missing"]
        )
        if not products.exists():
            self.console.print("Every product has a description already; nothing to write.")
            return None
        estimate = runs.estimate_run(payer=Payer(workspace.pk, "run"), products=products, wishes=wishes)
        urgency = Run.Urgency.LATER if options["later"] else Run.Urgency.NOW
        self.show_price(estimate, urgency)
        if estimate.most_nanos(urgency) and not options["yes"] and not confirmed(self.console):
            raise CommandError("Nothing was written and nothing was spent.")
        run = runs.start_run(
            workspace=workspace, products=products, wishes=wishes, catalogue=catalogue, urgency=urgency
        )
        if run.remark:
            self.console.print(run.remark)
        return run

    def resume(self, workspace: Workspace, run: Run) -> Run:
        if run.state == Run.State.PAUSED:
            runs.resume_run(run)
        if runs.run_progress(run).failed:
            retrying.retry_failed(run)
        progress = runs.run_progress(run)
        self.console.print(f"Going on: {progress.done} of {progress.total} are written already.")
        left = Product.objects.in_workspace(workspace).filter(run_items__in=run.items.filter(state__in=UNFINISHED))
        if left.exists():
            self.show_price(runs.estimate_run(payer=payer_of(run), products=left, wishes=run.brief), run.urgency)
        return run

    def show_price(self, estimate: runs.Estimate, urgency: str) -> None:
        is_later = estimate.later is not None and urgency == Run.Urgency.LATER
        price = estimate.later if estimate.later and is_later else estimate
        most, likely = price.ceiling_nanos / DOLLAR, price.likely_nanos / DOLLAR
        self.console.print(
            f"Price: at most [bold]${most:.4f}[/], likely ${likely:.4f} "
            f"({estimate.products} products, {estimate.known} known already and free, model {price.model_id})"
        )
        if estimate.later and estimate.ceiling_nanos:
            other = estimate if is_later else estimate.later
            how = "without --later: in minutes" if is_later else "with --later: usually within an hour"
            self.console.print(f"       {how}, at most ${other.ceiling_nanos / DOLLAR:.4f}", style="dim")

    def work(self, run: Run) -> None:
        """Work the queue in this process; workers that are up help, and nobody does an item twice."""
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=self.console) as bar, ThreadPoolExecutor(settings.BULK_WORKERS) as pool:
            task = bar.add_task("writing", total=run.item_count)
            try:
                while unfinished := next_items(run, lambda: say_where(bar, task, run)):
                    list(pool.map(write_here, unfinished))
                    bar.update(task, completed=runs.run_progress(run).ended)
                    bar.update(task, description="writing")
            except KeyboardInterrupt:
                pool.shutdown(wait=True, cancel_futures=True)
                with contextlib.suppress(Conflict):  # it ended at the same moment
                    runs.pause_run(run)  # else workers that are up would go on, and go on spending
                raise
            bar.update(task, completed=run.item_count)
        finish_run(run.pk)

    # --- The result ---

    def export(self, catalogue: Catalogue, output: Path) -> int:
        catalogue.workspace.refresh_from_db(fields=["exports_only_approved"])
        partial = output.with_name(output.name + ".part")
        with partial.open("wb") as target:
            for piece in export_file(catalogue):
                target.write(piece)
        partial.replace(output)
        return Product.objects.in_workspace(catalogue.workspace_id).filter(catalogue=catalogue).written().count()

    def report(self, catalogue: Catalogue, run: Run | None, output: Path, written: int, *, as_json: bool) -> int:
        progress = runs.run_progress(run) if run else None
        failures = [(item.product.title, item.failure) for item in runs.failed_items(run)] if run else []
        summary = {
            "output": str(output),
            "format": catalogue.format,
            "encoding": catalogue.dialect["encoding"],
            "rows": catalogue.row_count,
            "products": catalogue.product_count,
            "written": written,
            "known": progress.known if progress else 0,
            "left_out": left_out(catalogue).total,
            "failed": len(failures),
            "cost_usd": f"{(progress.cost_nanos if progress else 0) / DOLLAR:.9f}",
            "failures": [{"product": title, "reason": reason} for title, reason in failures],
        }
        if as_json:
            self.stdout.write(json.dumps(summary, ensure_ascii=False))
        else:
            self.show_summary(summary, failures)
            if summary["left_out"]:
                self.show_left_out(catalogue)
        every_row_ended = progress is None or progress.ended == progress.total
        return 0 if every_row_ended else 1

    def show_summary(self, summary: dict[str, Any], failures: list[tuple[str, str]]) -> None:
        table = Table(show_header=False, box=None)
        for name in ("written", "known", "failed", "cost_usd", "output"):
            table.add_row(name.replace("_usd", " in USD"), str(summary[name]))
        self.console.print(table)
        for title, reason in failures[:20]:
            self.console.print(f"  [red]not written[/] {title}: {reason}", highlight=False)

    def show_left_out(self, catalogue: Catalogue) -> None:
        waiting = public_url("products", catalogue.workspace.slug)
        self.console.print(
            f"{left_out(catalogue)} Approve them here, then run the same command again: ", highlight=False
        )
        self.console.print(f"{waiting}?catalogue={catalogue.pk}&state=unapproved", soft_wrap=True, highlight=False)


def check_paths(source: Path, output: Path) -> None:
    """Before anything is spent."""
    if not source.is_file():
        raise CommandError(f"There is no file {source}.")
    if output.is_dir() or not output.parent.is_dir():
        raise CommandError(
            f"{output} cannot be written: " + ("it is a folder." if output.is_dir() else "no such folder.")
        )
    if output.exists() and output.samefile(source):
        raise CommandError(f"{output} is the file to be described; name another one for the result.")


@across_workspaces()
def find_workspace(slug: str | None) -> Workspace:
    if slug:
        workspace = Workspace.objects.filter(slug=slug).first()
        if workspace is None:
            raise CommandError(f"There is no workspace “{slug}”.")
        return workspace
    user = User.objects.filter(email=TERMINAL_USER).first() or User.objects.create_user(TERMINAL_USER)
    owned = Workspace.objects.filter(memberships__user=user, memberships__role=Role.OWNER).first()
    return owned or create_workspace(owner=user, name="Terminal", plan="internal")


def earlier_import(workspace: Workspace, source: Path) -> Catalogue | None:
    """The import of the same bytes, so that a stopped job goes on instead of beginning again."""
    found = Catalogue.objects.in_workspace(workspace).filter(sha256=sha256_of(source), filename=source.name)
    failed = Q(status__in=(Catalogue.Status.REFUSED, Catalogue.Status.NEEDS_MAPPING)) | Q(state=JobState.FAILED)
    return found.exclude(failed).first()


def sha256_of(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def confirmed(console: Console) -> bool:
    return not sys.stdin.isatty() or console.input("Go on? [y/N] ").strip().lower() in ("y", "yes")


def next_items(run: Run, waits: Callable[[], None]) -> list[UUID]:
    """Some items that may be claimed now; waits while all that is left is with other workers or the provider, or waits
    for a retry."""
    while True:
        open_items = run.items.filter(state__in=UNFINISHED).order_by("next_run_at", "position")
        due = list(open_items.filter(jobs.due()).values_list("pk", flat=True)[: settings.BULK_WORKERS * 4])
        if due or not open_items.exists():
            return due
        jobs.fail_exhausted(RunItem, DIED)
        queue.advance_due(run)
        waits()
        time.sleep(POLL_SECONDS)


def say_where(bar: Progress, task: TaskID, run: Run) -> None:
    batch = runs.batch_progress(run)
    if batch and batch.since:
        bar.update(task, description=f"with the provider since {batch.since:%H:%M} UTC")


def write_here(item_id: UUID) -> JobState | None:
    try:
        return write_item(item_id, publish_next=False)
    finally:
        connection.close()
