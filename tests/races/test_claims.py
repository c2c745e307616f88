"""Items of a run and the processes that want them: one wins, the dead are replaced, ghosts change nothing."""

from __future__ import annotations

import signal
import time
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Workspace
from contentopt import jobs
from contentopt.jobs import JobState
from generation.engine.items import sweep_runs
from generation.models import LlmCall, Run, RunItem, Text
from tests.factories import make_catalogue, make_file, make_run, numbered_rows
from tests.races.conftest import StartWorker
from tests.races.processes import Worker, claim_all, write_one
from tests.races.product import eventually
from tests.servers import KEY, Provider

pytestmark = pytest.mark.processes

LEASE_SECONDS = 2


@pytest.fixture
def leases(settings: Any) -> dict[str, Any]:
    """What workers are told: short leases, few attempts."""
    short = {"JOB_LEASE_SECONDS": LEASE_SECONDS, "JOB_MAX_ATTEMPTS": 2}
    for name, value in short.items():
        setattr(settings, name, value)
    return short


@pytest.fixture
def told(leases: dict[str, Any], provider: Provider, settings: Any) -> dict[str, Any]:
    """The same, and where the model is; here too, because a run may spend what it is priced at when it starts."""
    settings.ANTHROPIC_API_KEY = KEY
    return {**leases, "ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": provider.url}


def only_item(shop: Workspace) -> RunItem:
    run = make_run(make_catalogue(shop, make_file(numbered_rows(1))))
    return run.items.get()


def arrived(provider: Provider, calls: int) -> bool:
    return bool(eventually(lambda: provider.meter()["requests"] >= calls, pause=0.02))


def kill_in_call(worker: Worker, provider: Provider, calls: int) -> None:
    assert arrived(provider, calls)
    worker.end()


def await_lease_end() -> None:
    time.sleep(LEASE_SECONDS + 0.1)


def test_each_item_is_won_by_one_of_the_processes_that_claim_it(shop: Workspace, start_worker: StartWorker) -> None:
    run = make_run(make_catalogue(shop, make_file(numbered_rows(100))))
    ids = list(run.items.values_list("pk", flat=True))

    rivals = [start_worker(claim_all, ids) for _ in range(4)]
    won = [item_id for rival in rivals for item_id in rival.result()]

    assert sorted(won) == sorted(ids)
    assert set(run.items.values_list("state", "attempt")) == {(JobState.RUNNING, 1)}


def test_worker_that_slept_through_its_lease_stores_nothing(
    shop: Workspace, start_worker: StartWorker, provider: Provider, told: dict[str, Any]
) -> None:
    provider.behave({"delay_ms": 300})
    item = only_item(shop)
    ghost = start_worker(write_one, item.pk, **told)
    assert arrived(provider, 1)
    ghost.send(signal.SIGSTOP)
    await_lease_end()
    assert start_worker(write_one, item.pk, **told).result() == JobState.DONE
    text = Text.objects.in_workspace(shop).get()

    ghost.send(signal.SIGCONT)

    assert ghost.result() is None
    assert Text.objects.in_workspace(shop).get() == text
    item.refresh_from_db()
    assert (item.state, item.attempt) == (JobState.DONE, 2)


def test_item_that_takes_longer_than_its_lease_is_kept_by_the_heartbeat(
    shop: Workspace, start_worker: StartWorker, provider: Provider, told: dict[str, Any]
) -> None:
    provider.behave({"delay_ms": 1700 * LEASE_SECONDS})
    item = only_item(shop)
    worker = start_worker(write_one, item.pk, **told)
    assert arrived(provider, 1)

    rivals = eventually(lambda: jobs.claim(RunItem, item.pk), 1.5 * LEASE_SECONDS)

    assert rivals is None
    assert worker.result() == JobState.DONE
    assert provider.meter()["requests"] == 1


def test_killed_worker_is_replaced_and_what_it_had_paid_for_is_on_the_books(
    shop: Workspace, start_worker: StartWorker, provider: Provider, told: dict[str, Any]
) -> None:
    provider.behave({"delay_ms": 300})
    item = only_item(shop)
    kill_in_call(start_worker(write_one, item.pk, **told), provider, 1)
    assert start_worker(write_one, item.pk, **told).result() is None  # the lease of the dead still runs

    await_lease_end()
    assert start_worker(write_one, item.pk, **told).result() == JobState.DONE

    calls = LlmCall.objects.in_workspace(shop)
    assert {str(call.pk) for call in calls} == set(provider.meter()["call_ids"])
    assert sorted(calls.values_list("outcome", flat=True)) == ["accepted", "dispatched"]
    assert Text.objects.in_workspace(shop).count() == 1


def test_item_that_kills_every_worker_ends_failed_with_a_reason(
    shop: Workspace, start_worker: StartWorker, provider: Provider, told: dict[str, Any]
) -> None:
    provider.behave({"delay_ms": 30_000})
    item = only_item(shop)
    for attempt in (1, 2):
        # The second one first waits for the dead leader's place: it sends once that lease has run out.
        kill_in_call(start_worker(write_one, item.pk, **told), provider, attempt)
        await_lease_end()

    sweep_runs()

    item.refresh_from_db()
    assert (item.state, item.attempt) == (JobState.FAILED, 2)
    assert "stopped the worker several times" in item.failure
    assert item.run.state == Run.State.FINISHED
    assert start_worker(write_one, item.pk, **told).result() is None


def test_item_whose_worker_died_after_the_run_was_cancelled_is_let_go(shop: Workspace, leases: dict[str, Any]) -> None:
    item = only_item(shop)
    assert jobs.claim(RunItem, item.pk)
    Run.objects.in_workspace(shop).update(state=Run.State.CANCELLED, finished_at=timezone.now())
    await_lease_end()

    sweep_runs()

    item.refresh_from_db()
    assert (item.state, item.failure) == (JobState.CANCELLED, "Cancelled before it was written.")
