"""The queue of run items: hand out, write, end."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models.functions import Now
from django.utils import timezone

from accounts import quotas
from accounts.budgets import Payer
from contentopt import jobs
from contentopt.errors import DomainError
from contentopt.jobs import UNFINISHED, Job, JobState
from contentopt.tenancy import entering
from generation.announcing import announce_run
from generation.engine import batching, postponing
from generation.engine.batching import Company
from generation.engine.postponing import Postponed
from generation.engine.routes import read_offer
from generation.engine.storing import product_brief, store_text
from generation.engine.writing import write
from generation.facts import FactsError
from generation.models import Run, RunItem

log = structlog.get_logger()

WRITE_ITEMS = "generation.tasks.write_items"
LET_GO = "Cancelled before it was written."
OUTAGE = timedelta(hours=24)  # so long what no model would write waits; then it fails, and says why
DIED = "Writing this product stopped the worker several times, so it was set aside. Retry it, or write to support."


def write_item(item_id: UUID | str, *, publish_next: bool = True) -> JobState | None:
    """Claim one item and bring it to an end. None when there was nothing to claim or the lease was lost."""
    states = write_items([item_id], publish_next=publish_next)
    return states[0] if states else None


def write_items(item_ids: Sequence[UUID | str], *, publish_next: bool = True) -> list[JobState | None]:
    """The same for several items of one run, each on its own; those that need a model share a call."""
    items = [item for item_id in item_ids if (item := jobs.claim(RunItem, item_id))]
    if not items:
        return []
    with entering(items[0].workspace_id):
        return _write_all(items, publish_next=publish_next)


def _write_all(items: Sequence[RunItem], *, publish_next: bool) -> list[JobState | None]:
    states = [_write_claimed(item) for item in items] if len(items) < 2 else _write_together(items)
    if any(states):
        finish_run(items[0].run_id)
        # What came back unwritten waits, and so does the rest: the sweeper finds out when it is worth another try.
        if publish_next and set(states) != {JobState.QUEUED}:
            hand_out(items[0].run_id, 1)
    return states


def _write_together(items: Sequence[RunItem]) -> list[JobState | None]:
    """Each on a thread of its own, with a connection of its own."""
    company = Company(item.pk for item in items)

    def write_one(item: RunItem) -> JobState | None:
        try:
            with entering(item.workspace_id):
                return _write_claimed(item, company)
        finally:
            company.leave(item.pk)
            connection.close()

    with ThreadPoolExecutor(len(items)) as threads:
        return list(threads.map(write_one, items))


def _write_claimed(item: RunItem, company: Company | None = None) -> JobState | None:
    try:
        return _write(item, company)
    except jobs.LostLease:
        log.info("lease_lost", item=str(item.pk))
        return None


def _write(item: RunItem, company: Company | None) -> JobState:
    try:
        with jobs.heartbeat(item):
            brief = product_brief(item.run.brief, item.product)
            written = write(
                brief,
                payer=payer_of(item.run),
                product_key=item.product.quota_key,
                run_item=item,
                company=company,
                later=item if item.run.urgency == Run.Urgency.LATER else None,
            )
    except Postponed as postponed:
        return postponing.wait(item, postponed.part, or_end_with=LET_GO)
    except FactsError as error:
        return jobs.give_back(item, seconds=0, failure=str(error), final=True)
    except DomainError as error:
        return _give_back(item, error)
    with transaction.atomic():
        jobs.hold_lease(item)
        store_text(
            written,
            brief,
            workspace_id=item.workspace_id,
            product=item.product,
            run_item=item,
            created_by=item.run.created_by,
        )
        jobs.finish(item, JobState.DONE)
    return JobState.DONE


def _give_back(item: RunItem, error: DomainError) -> JobState:
    state = give_back(item, error)
    if state == JobState.FAILED and item.run.urgency == Run.Urgency.LATER:
        give_places_back(item.workspace_id, [item])
    return state


def give_back(item: Job, error: DomainError) -> JobState:
    """What could not be written now is tried later, each time after a longer wait; what never could, ends."""
    retryable = error.details.get("retryable", error.status in (429, 503))
    if is_outage(error) and timezone.now() - item.created_at < OUTAGE:
        wait = (error.retry_after or 5) * random.uniform(1, 2)  # noqa: S311
        return jobs.give_back(item, seconds=wait, failure=error.message, counts=False)
    wait = (error.retry_after or 5) * item.attempt
    return jobs.give_back(item, seconds=wait, failure=error.message, final=not retryable)


def is_outage(error: DomainError) -> bool:
    """No model answered, which is no fault of the item's and has cost nothing: it may go on for hours."""
    return error.status == 503 and bool(error.details.get("retryable", True)) and not error.details.get("charged")


def payer_of(run: Run) -> Payer:
    """A run is paid by whoever started it, and by its own budget."""
    return Payer(run.workspace_id, "run", user_id=run.created_by_id, api_key_id=run.api_key_id, run_id=run.pk)


def give_places_back(workspace_id: UUID, items: Iterable[RunItem]) -> None:
    """Products of items that will not be written: they kept their places in the month for as long as a batch takes."""
    quotas.give_back_all(workspace_id, [key for item in items if (key := item.product.quota_key)])


def finish_run(run_id: UUID) -> bool:
    """End the run when nothing is left to do; True for the one caller that ended it."""
    if RunItem._base_manager.filter(run_id=run_id, state__in=UNFINISHED).exists():
        return False
    # Paused when the last ones were being written, it has nothing to go on with either.
    ended = Run._base_manager.filter(pk=run_id, state__in=Run.OPEN)
    with transaction.atomic():
        is_ended = bool(ended.update(state=Run.State.FINISHED, finished_at=Now()))
        if is_ended:
            announce_run(run_id)
    return is_ended


def hand_out(run_id: UUID, count: int) -> int:
    """Publish so many tasks with the next items of a run; returns how many items went out."""
    return jobs.hand_out(RunItem, "run_id", run_id, count, WRITE_ITEMS, each=items_per_task())


def items_per_task() -> int:
    """More than one only where they can share a call."""
    first = next(iter(read_offer().specs), None)
    return settings.RUN_ITEMS_PER_CALL if first and batching.may_share(first) else 1


def sweep_runs() -> None:
    """Re-send what was lost, end what died, finish what is complete. Running it twice changes nothing more."""
    jobs.fail_exhausted(RunItem, DIED)
    let_go_of_cancelled()
    for run in Run._base_manager.filter(state__in=Run.OPEN):
        if not finish_run(run.pk) and run.state == Run.State.RUNNING:
            hand_out(run.pk, settings.RUN_WINDOW - tasks_out(run.pk))
    for run_id in _cancelled_with_answers():
        hand_out(run_id, settings.RUN_WINDOW - tasks_out(run_id))


def _cancelled_with_answers() -> set[UUID]:
    """Runs that were cancelled when a provider had written some texts, which are paid for and so are kept."""
    waiting = RunItem._base_manager.filter(jobs.due(), postponing.is_upstream(), run__state=Run.State.CANCELLED)
    return set(waiting.order_by().values_list("run_id", flat=True))


def let_go_of_cancelled() -> int:
    """End items that were with a worker when their run was cancelled, and came back unwritten."""
    lately = Now() - timedelta(days=2)
    cancelled = Run._base_manager.filter(state=Run.State.CANCELLED, finished_at__gte=lately).values("pk")
    left = RunItem._base_manager.filter(jobs.due(), ~postponing.is_upstream(), run_id__in=cancelled)
    waited = list(left.exclude(waits_for=None).select_related("product__catalogue"))
    ended = left.update(state=JobState.CANCELLED, failure=LET_GO, finished_at=Now(), lease_until=None)
    for workspace_id in {item.workspace_id for item in waited}:
        give_places_back(workspace_id, [item for item in waited if item.workspace_id == workspace_id])
    return ended


def tasks_out(run_id: UUID) -> int:
    """How many tasks the items that are out fill."""
    items_out = RunItem._base_manager.filter(jobs.is_out(), run_id=run_id).count()
    return -(-items_out // items_per_task())
