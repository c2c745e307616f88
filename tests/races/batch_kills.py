"""A run by batch on the running product, all its workers killed at each stage; for the test and for the benchmark."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.provider_batches import cost_of
from tests.races.bursts import SETTLED_SECONDS
from tests.races.product import Product, eventually
from tests.races.watching import WATCH

STAGE_SECONDS = 120
SLOW_MS = 1_500


@dataclass
class Report:
    run: str
    ceiling_usd: str
    usual_ceiling_usd: str
    kills: list[str] = field(default_factory=list)
    state: str = ""
    done: int = 0
    failed: int = 0
    served: int = 0
    seconds: float = 0
    cost_nanos: int = 0
    saved_nanos: int = 0


def mugs(count: int) -> bytes:
    rows = [f"N-{number},Mug {number:05d},stoneware,blue," for number in range(count)]
    return "\n".join(["sku,name,material,color,description", *rows, ""]).encode()


def run_and_kill_at_every_stage(product: Product, key: str, count: int) -> Report:
    """Workers and clock die while requests gather, while the batch is sent, once it is created and its reply is on its
    way, while it is waited for, while its results are read, and while they are written down."""
    product.provider.treat_batches(hold=True)
    catalogue = product.import_file(key, mugs(count))
    body = {"catalogue": catalogue, "urgency": "later"}
    estimate = product.call(key, "POST", "estimates", json=body).json()
    began = time.monotonic()
    product.provider.treat_batches(delay_ms=SLOW_MS, reply_delay_ms=SLOW_MS, results_delay_ms=SLOW_MS)
    accepted = product.call(key, "POST", "runs", json=body)
    assert accepted.status_code == 202, accepted.text
    report = Report(accepted.json()["id"], estimate["later"]["ceiling_usd"], estimate["ceiling_usd"])

    def status() -> dict[str, Any]:
        found: dict[str, Any] = product.call(key, "GET", f"runs/{report.run}").json()
        return found

    def kill_when(stage: str, condition: Callable[[], Any]) -> None:
        assert eventually(condition, STAGE_SECONDS, pause=0.02), (stage, status())
        product.kill_all("bulk")
        report.kills.append(stage)

    def stage_is(*stages: str) -> bool:
        query = "SELECT count(*) FROM generation_llmbatch WHERE run_id = %s AND stage = ANY(%s)"
        return bool(product.fetch(query, report.run, list(stages))[0][0])

    def parts() -> int:
        query = "SELECT count(*) FROM generation_batchpart p JOIN generation_llmbatch b ON b.id = p.batch_id"
        found: int = product.fetch(f"{query} WHERE b.run_id = %s", report.run)[0][0]
        return found

    kill_when("gathering", lambda: parts() > count // 10)
    kill_when("sending", lambda: stage_is("submitting") and not product.provider.meter()["batches"])
    kill_when("created", lambda: stage_is("submitting") and product.provider.meter()["batches"])
    product.provider.treat_batches(delay_ms=0, reply_delay_ms=0)
    kill_when("waiting", lambda: stage_is("submitted"))
    product.kill("clock")
    product.provider.treat_batches(hold=False)
    kill_when("reading", lambda: stage_is("ended"))
    product.provider.treat_batches(results_delay_ms=0)
    kill_when("writing", lambda: 0 < status()["done"] < count)
    assert eventually(lambda: status()["state"] == "finished", STAGE_SECONDS, pause=0.3), status()
    return finished(product, report, status(), time.monotonic() - began)


def finished(product: Product, report: Report, status: dict[str, Any], seconds: float) -> Report:
    report.state, report.done, report.failed = status["state"], status["done"], status["failed"]
    report.seconds = seconds
    report.served = len(product.provider.meter()["batched"])
    entries = "SELECT COALESCE(sum(cost_nanos), 0)::bigint FROM accounts_usageentry WHERE run_id = %s"
    report.cost_nanos = product.fetch(entries, report.run)[0][0]
    saved = "SELECT sum(p.saved_nanos)::bigint FROM generation_batchpart p"
    saved += " JOIN generation_llmbatch b ON b.id = p.batch_id WHERE b.run_id = %s"
    report.saved_nanos = product.fetch(saved, report.run)[0][0]
    return report


def assert_run_cost_what_was_served(product: Product, report: Report) -> None:
    """Half of the usual price, to the nano-dollar, and each text paid for once."""
    served = product.provider.meter()["batched"]
    assert len({each["call_id"] for each in served}) == len(served)
    assert report.cost_nanos == cost_of(served)
    assert 0 <= report.cost_nanos - report.saved_nanos <= len(served)  # half, but for what is rounded up
    holds = "SELECT count(*) FROM accounts_reservation WHERE state IN ('held', 'dispatched') AND entry->>'run_id' = %s"
    assert eventually(lambda: product.fetch(holds, report.run) == [(0,)], SETTLED_SECONDS), product.fetch(
        holds, report.run
    )
    budgets = product.fetch(WATCH)
    assert [row for row in budgets if row[3] != row[4] or (row[2] is not None and row[1] > row[2])] == []
    texts = "SELECT count(*), count(DISTINCT t.product_id) FROM generation_text t"
    texts += " JOIN generation_runitem i ON i.id = t.run_item_id WHERE i.run_id = %s"
    assert product.fetch(texts, report.run) == [(report.done, report.done)]
