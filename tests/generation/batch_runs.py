"""A run or a night that waits for its batches, brought forward step by step in the test's own process."""

from __future__ import annotations

import time

from django.db.models import Q, Sum
from django.db.models.functions import Now

from accounts.models import Budget, Reservation, UsageEntry, Workspace
from contentopt import jobs
from contentopt.jobs import UNFINISHED
from generation.batches.queue import advance, close_unused
from generation.engine.items import finish_run, let_go_of_cancelled, write_item
from generation.models import BatchPart, LlmCall, Night, Run
from generation.nights.items import write_ahead
from tests.provider_batches import cost_of
from tests.servers import Provider


def write_due(owner: Run | Night) -> int:
    """Write what is due now. How many items."""
    due = list(owner.items.filter(jobs.due()).values_list("pk", flat=True))
    for item in due:
        (write_item if isinstance(owner, Run) else write_ahead)(item, publish_next=False)
    return len(due)


def advance_all(owner: Run | Night) -> list[str | None]:
    """Every open batch, however long it was to wait. The stages they are in then."""
    batches = owner.batches.filter(Q(state="queued") | jobs.due()).order_by("created_at")
    batches.update(next_run_at=Now())
    return [advance(pk) for pk in list(batches.values_list("pk", flat=True))]


def bring_to_an_end(run: Run, rounds: int = 20) -> Run:
    for _ in range(rounds):
        write_due(run)
        advance_all(run)
        let_go_of_cancelled()
        close_unused()
        if finish_run(run.pk):
            break
        time.sleep(0.02)
    run.refresh_from_db()
    return run


def finish_night(night: Night, rounds: int = 20) -> None:
    for _ in range(rounds):
        write_due(night)
        advance_all(night)
        if not night.items.filter(state__in=UNFINISHED).exists():
            break
        time.sleep(0.02)


def states(owner: Run | Night) -> list[str]:
    return list(owner.items.order_by("position").values_list("state", flat=True))


def part_states(run: Run) -> list[str]:
    parts = BatchPart.objects.in_workspace(run.workspace_id).filter(batch__run=run)
    return list(parts.order_by("call__created_at").values_list("state", flat=True))


def assert_books_agree(workspace: Workspace, provider: Provider) -> None:
    """Ledger, calls, budget and the provider's own meter say the same, and nothing is held any more."""
    served = cost_of(provider.meter()["batched"])
    lines = UsageEntry.objects.in_workspace(workspace).aggregate(sum=Sum("cost_nanos"))["sum"] or 0
    calls = LlmCall.objects.in_workspace(workspace).aggregate(sum=Sum("cost_nanos"))["sum"] or 0
    budget = Budget.objects.in_workspace(workspace).filter(scope=Budget.Scope.WORKSPACE).first()
    spent = (budget.spent_nanos, budget.reserved_nanos) if budget else (0, 0)
    assert (lines, calls, *spent) == (served, served, served, 0)
    assert not Reservation.objects.in_workspace(workspace).filter(state__in=Reservation.OPEN).exists()
