"""Kill anything in the middle of a run, at random moments: it ends complete, and the books are right."""

from __future__ import annotations

import csv
import io
import os
import random
import re
import secrets
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from tests.factories import make_file, numbered_rows
from tests.races.bursts import books
from tests.races.product import Product, eventually
from tests.races.watching import WATCH

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("product"), pytest.mark.timeout(240)]

ROUNDS = int(os.environ.get("CHAOS_ROUNDS", "1"))
SEED = os.environ.get("CHAOS_SEED")
PRODUCTS = 500
PROVIDER_DELAY_MS = 30
END_SECONDS = 90
VICTIMS = ("bulk", "bulk child", "web", "web child", "valkey", "clock")
SWEEPS_SECONDS = 2.5

CELL = rb'(?:"(?:[^"]|"")+"|[^",\n]+)'


@dataclass(frozen=True)
class Aftermath:
    """One run after its end: what the shop, the database and the provider say of it."""

    product: Product
    key: str
    catalogue: str
    run: str

    def status(self) -> dict[str, Any]:
        status: dict[str, Any] = self.product.call(self.key, "GET", f"runs/{self.run}").json()
        return status

    def rows(self) -> list[tuple[Any, ...]]:
        """Everything a sweep could change."""
        items = "SELECT id, state, attempt, lease_token, next_run_at, published_at FROM generation_runitem"
        return [
            *self.product.fetch(f"{items} WHERE run_id = %s ORDER BY id", self.run),
            *self.product.fetch("SELECT id, state, finished_at FROM generation_run ORDER BY id"),
            *sorted(self.texts()),
            *sorted(self.calls()),
        ]

    def texts(self) -> list[tuple[UUID, UUID, UUID, UUID]]:
        """(text, product, item, the product's present text) of every text of the catalogue."""
        query = (
            "SELECT t.id, t.product_id, t.run_item_id, p.text_id FROM generation_text t"
            " JOIN generation_product p ON p.id = t.product_id WHERE p.catalogue_id = %s"
        )
        return self.product.fetch(query, self.catalogue)

    def calls(self) -> list[tuple[str, UUID, str, int, int]]:
        """(id upstream, item, outcome, tokens in, tokens out) of every call of the run."""
        query = (
            "SELECT COALESCE(c.batch_id, c.id)::text, c.run_item_id, c.outcome, c.input_tokens, c.output_tokens"
            " FROM generation_llmcall c JOIN generation_runitem i ON i.id = c.run_item_id WHERE i.run_id = %s"
        )
        return self.product.fetch(query, self.run)


def start_run(product: Product, key: str, catalogue: str) -> str:
    answer = product.call(
        key, "POST", "runs", json={"catalogue": catalogue}, headers={"Idempotency-Key": f"run of {catalogue}"}
    )
    assert answer.status_code == 202, answer.text
    run: str = answer.json()["id"]
    return run


def kill_at_random_moments(after: Aftermath, dice: random.Random) -> list[str]:
    """One of each kind, in any order; what was still to do each time is told, so that a run too short shows."""
    kills = []
    for victim in dice.sample(VICTIMS, len(VICTIMS)):
        if dice.random() < 0.7:  # at full speed; else while it recovers from the last one
            await_progress(after, dice.randint(5, 50))
        time.sleep(dice.uniform(0, 0.5))
        after.product.kill(victim)
        kills.append(f"{victim} with {unfinished(after)} to go")
    assert unfinished(after), "the run was over before everything had been killed: this proves nothing"
    return kills


def await_progress(after: Aftermath, items: int) -> None:
    goal = unfinished(after) - items
    assert eventually(lambda: unfinished(after) <= goal, END_SECONDS), after.status()


def unfinished(after: Aftermath) -> int:
    query = "SELECT count(*) FROM generation_runitem WHERE run_id = %s AND state IN ('queued', 'running')"
    count: int = after.product.fetch(query, after.run)[0][0]
    return count


@pytest.mark.parametrize("number", range(ROUNDS))
def test_run_ends_complete_whatever_is_killed(product: Product, number: int) -> None:
    seed = int(SEED) if SEED else secrets.randbelow(2**32)
    sys.stdout.write(f"CHAOS_SEED={seed}\n")
    product.provider.behave({"delay_ms": PROVIDER_DELAY_MS})
    content = make_file(numbered_rows(PRODUCTS))
    key = product.create_key(f"Round {number}")
    catalogue = product.import_file(key, content)
    after = Aftermath(product, key, catalogue, start_run(product, key, catalogue))
    began = time.monotonic()

    kills = kill_at_random_moments(after, random.Random(seed))

    sys.stdout.write(f"killed {'; '.join(kills)}\n")
    assert eventually(lambda: not unfinished(after), END_SECONDS, pause=0.3), after.status()
    sys.stdout.write(f"complete after {time.monotonic() - began:.1f} s, {len(after.calls())} calls\n")
    assert_run_is_complete(after)
    assert_every_text_is_stored_once(after)
    assert_every_call_is_recorded_once(after)
    assert_only_written_cells_differ(content, product.call(key, "GET", f"catalogues/{catalogue}/export").content)
    assert_sweeps_change_nothing(after)
    assert_money_is_all_there(after)


def test_run_asked_for_while_the_web_process_dies_is_started_once(product: Product) -> None:
    key = product.create_key("Interrupted")
    catalogue = product.import_file(key, make_file(numbered_rows(20)))
    with ThreadPoolExecutor() as pool:
        asked = [pool.submit(start_run, product, key, catalogue) for _ in range(4)]
        product.kill("web")
    run = {future.result() for future in asked}

    assert len(run) == 1
    after = Aftermath(product, key, catalogue, run.pop())
    assert eventually(lambda: after.status()["state"] == "finished"), after.status()
    assert product.fetch("SELECT count(*) FROM generation_run WHERE catalogue_id = %s", catalogue) == [(1,)]
    assert len(after.texts()) == 20


def assert_run_is_complete(after: Aftermath) -> None:
    status = eventually(lambda: s if (s := after.status())["state"] == "finished" else None, 10) or after.status()
    ends = {name: status[name] for name in ("state", "done", "failed", "waiting", "running")}
    assert ends == {"state": "finished", "done": PRODUCTS, "failed": 0, "waiting": 0, "running": 0}, status["failures"]


def assert_every_text_is_stored_once(after: Aftermath) -> None:
    texts = after.texts()
    assert len(texts) == PRODUCTS
    assert len({product for _, product, _, _ in texts}) == PRODUCTS
    assert len({item for _, _, item, _ in texts}) == PRODUCTS
    assert all(text == present for text, _, _, present in texts)


def assert_every_call_is_recorded_once(after: Aftermath) -> None:
    calls, meter = after.calls(), after.product.provider.meter()
    recorded = {identifier for identifier, *_ in calls}
    assert len(meter["call_ids"]) == len(set(meter["call_ids"]))
    assert set(meter["call_ids"]) <= recorded
    served = {call["call_id"]: (call["input_uncached"], call["output"]) for call in meter["served"]}
    accepted = [call for call in calls if call[2] == "accepted"]
    interrupted = {identifier for identifier, _, outcome, *_ in calls if outcome != "accepted"}
    for identifier in recorded - interrupted:
        shares = [(given, written) for known, _, _, given, written in calls if known == identifier]
        assert tuple(map(sum, zip(*shares, strict=True))) == served[identifier]
    assert len(accepted) == len({item for _, item, *_ in accepted}) == PRODUCTS
    # What is left are the calls whose worker was killed before it could write down the answer.
    assert {call[2] for call in calls} <= {"accepted", "dispatched", "failed", "unknown"}


def assert_money_is_all_there(after: Aftermath) -> None:
    """What is reserved is what open holds add up to, and what is spent is what the ledger says, also for the killed,
    whose holds count at their ceiling in the end."""
    assert_budgets_add_up(after)
    after.product.settle_open_holds()
    assert_budgets_add_up(after)


def assert_budgets_add_up(after: Aftermath) -> None:
    budgets = after.product.fetch(WATCH)
    assert [row for row in budgets if row[3] != row[4] or (row[2] is not None and row[1] > row[2])] == []
    found = books(after.product)
    assert found["whole ledger"] == found["all budgets"] > 0


def assert_only_written_cells_differ(received: bytes, exported: bytes) -> None:
    header, *rows = received.splitlines(keepends=True)
    kept = [re.escape(row.removesuffix(b"\n")) + CELL + b"\n" for row in rows]
    assert exported.startswith(header)
    position = len(header)
    for row in kept:
        match = re.compile(row).match(exported, position)
        assert match, exported[position : position + 200]
        position = match.end()
    assert position == len(exported)
    assert len(list(csv.reader(io.StringIO(exported.decode())))) == PRODUCTS + 1


def assert_sweeps_change_nothing(after: Aftermath) -> None:
    before = after.rows()
    time.sleep(SWEEPS_SECONDS)
    assert after.rows() == before
