"""How fast money can be held and settled, and what that costs a request.

    .venv/bin/python -m benchmarks.budget            about a minute
    .venv/bin/python -m benchmarks.budget 3          seconds for each line

Reserve + settle pairs a second through `accounts.budgets`, as the product does it: in PostgreSQL with fsync and
synchronous commit on, each pair on the workspace's budget *and* on the platform's of the day, which all share, with a
ledger line written. First all clients on one workspace, then spread over 1,000. A client is a connection; they are
spread over four processes, as web workers are.
"""

from __future__ import annotations

import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from itertools import cycle
from multiprocessing import get_context
from uuid import UUID

os.environ.setdefault("CONTENTOPT_LOCAL", "/tmp/contentopt-benchmark")  # noqa: S108 (own data folder)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "contentopt.settings")
os.environ["DEBUG"] = "true"
os.environ["LOG_LEVEL"] = "WARNING"
os.environ["DATABASE_POOL_SIZE"] = "64"

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.db.models import Sum  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402

from accounts import budgets  # noqa: E402
from accounts.budgets import Payer, Tokens  # noqa: E402
from accounts.models import Budget, Platform, UsageEntry, Workspace  # noqa: E402
from contentopt.tenancy import enter_all  # noqa: E402
from tests.races.spending import attempt  # noqa: E402

SPREAD = 1_000
CLIENTS = (1, 8, 32)
PROCESSES = 4
CEILING, COST = 1_000_000, 300_000


def pair(payer: Payer) -> None:
    made = attempt()
    budgets.reserve(payer, made, CEILING)
    budgets.settle(made.id, cost_nanos=COST, tokens=Tokens(900, 0, 0, 250), is_answer=True)


def work(ids: list[UUID], clients: int, seconds: float) -> list[float]:
    """Seconds of each pair that so many threads of this process made in that time."""

    def client(number: int) -> list[float]:
        payers = cycle(Payer(workspace_id, "api") for workspace_id in ids[number::clients] or ids)
        pair(next(payers))  # connect
        times, until = [], time.perf_counter() + seconds
        while (began := time.perf_counter()) < until:
            pair(next(payers))
            times.append(time.perf_counter() - began)
        connection.close()
        return times

    with ThreadPoolExecutor(clients, initializer=enter_all) as pool:
        return [each for times in pool.map(client, range(clients)) for each in times]


def measure(ids: list[UUID], clients: int, seconds: float) -> str:
    processes = min(clients, PROCESSES)
    shares = [ids[n::processes] or ids for n in range(processes)] if len(ids) > 1 else [ids] * processes
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        done = pool.map(work, shares, [clients // processes] * processes, [seconds] * processes)
        times = sorted(each for share in done for each in share)
    p50, p99 = times[len(times) // 2], times[len(times) * 99 // 100]
    return f"{len(times) / seconds:>8,.0f}/s   p50 {p50 * 1000:5.1f} ms   p99 {p99 * 1000:6.1f} ms"


def round_trips(workspace_id: UUID) -> str:
    payer, made = Payer(workspace_id, "api"), attempt()
    with CaptureQueriesContext(connection) as queries:
        budgets.reserve(payer, made, CEILING)
        held = len(queries)
        budgets.dispatch(made.id)
        sent = len(queries)
        budgets.settle(made.id, cost_nanos=COST, tokens=Tokens(900, 0, 0, 250), is_answer=True)
    return f"hold {held}, mark as sent {sent - held}, settle {len(queries) - sent}"


def books_balance() -> bool:
    spent = Budget.objects.across_workspaces().filter(scope="workspace").aggregate(sum=Sum("spent_nanos"))["sum"]
    lines = UsageEntry.objects.across_workspaces().aggregate(sum=Sum("cost_nanos"))["sum"]
    open_holds = Budget.objects.across_workspaces().filter(reserved_nanos__gt=0).count()
    return spent == lines and not open_holds


def make_workspaces(count: int) -> list[UUID]:
    made = [
        Workspace(name=f"Spender {n}", slug=f"spender-{time.time_ns()}-{n}", plan_id="internal") for n in range(count)
    ]
    return [workspace.pk for workspace in Workspace.objects.bulk_create(made)]


def main() -> None:
    enter_all()
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 5.0
    call_command("migrate", verbosity=0)
    Platform.objects.update(day_limit_nanos=None)
    ids = make_workspaces(SPREAD)
    print(f"round trips of one call: {round_trips(ids[0])}")
    connection.close()
    for title, chosen in (("one budget", ids[:1]), (f"{SPREAD:,} budgets", ids)):
        for clients in CLIENTS:
            print(f"{title:>14}, {clients:>2} clients  {measure(chosen, clients, seconds)}")
    print("books balance to the nano-dollar:", "yes" if books_balance() else "NO")


if __name__ == "__main__":
    main()
