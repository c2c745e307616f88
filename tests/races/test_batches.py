"""A batch whose worker is killed: it is neither lost nor sent twice, and the books say what the provider served."""

from __future__ import annotations

import time
from typing import Any

import pytest

from accounts.models import Workspace
from contentopt import jobs
from generation.models import BatchPart, LlmBatch, Run
from tests.factories import make_catalogue, make_file, make_run, numbered_rows
from tests.generation.batch_runs import advance_all, assert_books_agree, bring_to_an_end, states, write_due
from tests.races.batch_kills import assert_run_cost_what_was_served, run_and_kill_at_every_stage
from tests.races.conftest import StartWorker
from tests.races.processes import advance_batch, write_each
from tests.races.product import Product, eventually
from tests.servers import KEY, Provider

pytestmark = pytest.mark.processes

LEASE_SECONDS = 2
ITEMS = 12
PRODUCTS = 60


@pytest.fixture
def told(provider: Provider, settings: Any) -> dict[str, Any]:
    """Short leases and where the model is, here and in the workers."""
    told = {
        "JOB_LEASE_SECONDS": LEASE_SECONDS,
        "BATCH_POLL_SECONDS": 0.05,
        "ANTHROPIC_API_KEY": KEY,
        "ANTHROPIC_BASE_URL": provider.url,
    }
    for name, value in told.items():
        setattr(settings, name, value)
    return told


@pytest.fixture
def run(shop: Workspace, told: dict[str, Any]) -> Run:
    return make_run(make_catalogue(shop, make_file(numbered_rows(ITEMS))), urgency="later")


def end(run: Run) -> None:
    """By other workers, once the leases of the dead have run out."""
    time.sleep(LEASE_SECONDS + 0.1)
    bring_to_an_end(run)
    assert states(run) == ["done"] * ITEMS


def live_parts(run: Run) -> int:
    return BatchPart.objects.in_workspace(run.workspace_id).filter(batch__run=run).count()


@pytest.mark.parametrize(
    ("slow", "reached"),
    [
        ({"delay_ms": 700}, lambda meter: meter["requests"] >= 0),  # on its way to the provider
        ({"reply_delay_ms": 1_500}, lambda meter: meter["batches"]),  # created, and nobody told
    ],
    ids=["before it is created", "before its id is known"],
)
def test_worker_killed_while_it_sends_a_batch(
    run: Run, start_worker: StartWorker, provider: Provider, told: dict[str, Any], slow: Any, reached: Any
) -> None:
    write_due(run)
    provider.treat_batches(**slow)
    (batch,) = run.batches.all()
    worker = start_worker(advance_batch, batch.pk, **told)
    sending = LlmBatch.objects.in_workspace(run.workspace_id).filter(pk=batch.pk, stage=LlmBatch.Stage.SUBMITTING)
    assert eventually(lambda: sending.exists() and reached(provider.meter()), pause=0.02)
    time.sleep(0.2)
    worker.end()
    provider.treat_batches(delay_ms=0, reply_delay_ms=0)

    end(run)

    assert [each["size"] for each in provider.meter()["batches"]] == [ITEMS]
    assert_books_agree(run.workspace, provider)


def test_worker_killed_while_it_reads_the_results(
    run: Run, start_worker: StartWorker, provider: Provider, told: dict[str, Any]
) -> None:
    write_due(run)
    advance_all(run)
    provider.treat_batches(results_delay_ms=1_500)
    (batch,) = run.batches.all()
    time.sleep(0.1)
    worker = start_worker(advance_batch, batch.pk, **told)
    ended = LlmBatch.objects.in_workspace(run.workspace_id).filter(pk=batch.pk, stage=LlmBatch.Stage.ENDED)
    assert eventually(ended.exists, pause=0.02)
    worker.end()
    provider.treat_batches(results_delay_ms=0)

    end(run)

    assert len(provider.meter()["batched"]) == ITEMS
    assert_books_agree(run.workspace, provider)


def test_workers_killed_while_they_fill_a_batch_and_while_they_write_down_its_answers(
    run: Run, start_worker: StartWorker, provider: Provider, told: dict[str, Any]
) -> None:
    items = list(run.items.values_list("pk", flat=True))
    worker = start_worker(write_each, items, **told)
    assert eventually(lambda: live_parts(run) >= 3, pause=0.005)
    worker.end()
    time.sleep(LEASE_SECONDS + 0.1)
    write_due(run)
    for _ in range(3):
        time.sleep(0.06)
        advance_all(run)
    assert run.items.filter(jobs.due()).count() == ITEMS
    worker = start_worker(write_each, items, **told)
    assert eventually(lambda: "done" in states(run), pause=0.005)
    worker.end()

    end(run)

    assert len(provider.meter()["batched"]) == ITEMS
    assert_books_agree(run.workspace, provider)


def test_two_workers_on_one_batch_send_it_once(
    run: Run, start_worker: StartWorker, provider: Provider, told: dict[str, Any]
) -> None:
    write_due(run)
    provider.treat_batches(reply_delay_ms=500)
    (batch,) = run.batches.all()

    rivals = [start_worker(advance_batch, batch.pk, **told) for _ in range(3)]
    stages = [rival.result() for rival in rivals]

    assert sorted(map(str, stages))[:2] == ["None", "None"]
    assert len(provider.meter()["batches"]) == 1


@pytest.mark.xdist_group("product")
@pytest.mark.timeout(300)
def test_run_by_batch_survives_a_kill_at_every_stage(product: Product) -> None:
    key = product.create_key("Patient")

    report = run_and_kill_at_every_stage(product, key, PRODUCTS)

    assert (report.state, report.done, report.failed) == ("finished", PRODUCTS, 0)
    assert len(report.kills) == 6, report.kills
    assert report.served == PRODUCTS
    assert_run_cost_what_was_served(product, report)
