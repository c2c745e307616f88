"""What is counted is counted once, and the sums are the ledger's, whoever is killed and whoever comes late."""

from __future__ import annotations

import os
import signal
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection, connections, transaction
from django.db.models import F, Sum
from django.db.models.functions import TruncDay, TruncHour
from django.utils import timezone
from django_redis import get_redis_connection
from redis.exceptions import RedisError

from accounts.budgets import Payer
from accounts.metering import ADVISORY_LOCK, STREAM, drain_free_answers, record_free, roll_up
from accounts.models import RollupMark, UsageEntry, UsageRollup, Workspace
from accounts.reconciling import check_accounts, default_since
from contentopt import engines
from tests.accounts.books import enter
from tests.races.conftest import StartWorker
from tests.races.processes import keep_spending
from tests.races.product import eventually

pytestmark = pytest.mark.processes

ENTRIES, LATE, REPEATED = 90_000, 10_000, 20_000


# --- Free answers -----------------------------------------------------------------------------------------------------


@pytest.fixture
def valkey(settings: Any, tmp_path: Path) -> Iterator[dict[str, Any]]:
    """An engine of the test's own, to be halted and killed; what workers are told of it."""
    location = engines.embedded_urls(tmp_path, postgres=False, redis=True).redis_url
    options = {**settings.CACHES["default"]["OPTIONS"], "SOCKET_TIMEOUT": 30}
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": location, "OPTIONS": options}}
    yield {"CACHES": settings.CACHES}
    get_redis_connection("default").connection_pool.disconnect()
    engines.stop(tmp_path)


def answer(workspace: Workspace, times: int) -> None:
    payer = Payer(workspace.pk, "api")
    known = {"source": "exact", "provider": "anthropic", "model_id": "m", "tier": "economy", "saved_nanos": 7}
    for _ in range(times):
        record_free(payer, text_id=uuid.uuid4(), **known)  # type: ignore[arg-type]


def waiting() -> int:
    count: int = get_redis_connection("default").xlen(cache.make_key(STREAM))
    return count


def entered(workspace: Workspace) -> int:
    return UsageEntry.objects.in_workspace(workspace).count()


def test_drain_killed_between_ledger_and_stream_counts_once(
    shop: Workspace, start_worker: StartWorker, valkey: dict[str, Any]
) -> None:
    answer(shop, 50)
    get_redis_connection("default").execute_command("CLIENT", "PAUSE", 60_000, "WRITE")
    drain = start_worker(drain_free_answers, **valkey)
    assert eventually(lambda: entered(shop) == 50, pause=0.01)
    time.sleep(0.1)  # now it waits to take them out of the stream
    drain.end()
    get_redis_connection("default").execute_command("CLIENT", "UNPAUSE")
    assert waiting() == 50

    assert start_worker(drain_free_answers, **valkey).result() == 50

    assert (entered(shop), waiting()) == (50, 0)


def test_many_drain_at_a_time_and_each_line_counts_once(
    shop: Workspace, start_worker: StartWorker, valkey: dict[str, Any]
) -> None:
    answer(shop, 1200)

    drains = [start_worker(drain_free_answers, **valkey) for _ in range(3)]
    assert sum(drain.result() for drain in drains) >= 1200

    assert (entered(shop), waiting()) == (1200, 0)


def test_killed_valkey_loses_nothing_that_it_has_acknowledged(shop: Workspace, valkey: dict[str, Any]) -> None:
    answer(shop, 100)
    server = get_redis_connection("default").info("server")["process_id"]
    os.kill(server, signal.SIGKILL)
    answer(shop, 10)  # while it is down, or by the sockets of the dead

    assert eventually(is_back)

    drain_free_answers()
    assert (entered(shop), waiting()) == (110, 0)


def is_back() -> bool:
    try:
        return bool(get_redis_connection("default").ping())
    except RedisError:
        return False


# --- Rollups ----------------------------------------------------------------------------------------------------------

INSERT = """
INSERT INTO accounts_usageentry (
    id, workspace_id, reservation_id, entry_no, basis, source, endpoint, user_id, api_key_id, run_id, provider,
    model_id, tier, answers, calls, input_tokens, cached_tokens, cache_write_tokens, output_tokens,
    cost_nanos, saved_nanos, price_version, occurred_at)
SELECT md5('line' || n)::uuid, (%(workspaces)s::uuid[])[1 + n %% 2],
       CASE WHEN n %% 3 = 0 THEN md5('reservation' || n)::uuid END, 1,
       CASE WHEN n %% 3 = 0 THEN 'exact' ELSE 'free' END,
       (ARRAY['model', 'exact', 'template'])[1 + n %% 3], (ARRAY['api', 'page', 'run'])[1 + n %% 12 / 4],
       CASE WHEN n %% 4 > 0 THEN md5('user' || n %% 4)::uuid END, CASE WHEN n %% 4 = 0 THEN md5('key')::uuid END,
       CASE WHEN n %% 12 > 9 THEN md5('run')::uuid END, (ARRAY['anthropic', 'openai'])[1 + n %% 12 / 6],
       'model-' || n %% 6, (ARRAY['economy', 'standard', 'premium'])[1 + n %% 6 / 2],
       1, (n %% 3 = 0)::int, n %% 900, n %% 70, n %% 50, n %% 250,
       CASE WHEN n %% 3 = 0 THEN n %% 100000 ELSE 0 END, CASE WHEN n %% 3 = 0 THEN 0 ELSE n %% 5000 END, '2026-11',
       now() - make_interval(days => %(days_ago)s) - make_interval(secs => (n * 7919) %% (30 * 86400))
  FROM generate_series(%(first)s, %(last)s) n
    ON CONFLICT DO NOTHING
"""
DIMENSIONS = ("workspace_id", "user_id", "api_key_id", "run_id", "endpoint", "provider", "model_id", "tier", "source")
SUMS = (
    "answers",
    "calls",
    "input_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "output_tokens",
    "cost_nanos",
    "saved_nanos",
)


def insert(shops: list[Workspace], first: int, last: int, *, days_ago: int = 0) -> int:
    """Lines of the thirty days before then. Returns how many were new."""
    values: dict[str, Any] = {
        "workspaces": [shop.pk for shop in shops],
        "first": first,
        "last": last,
        "days_ago": days_ago,
    }
    with connection.cursor() as cursor:
        cursor.execute(INSERT, values)
        new: int = cursor.rowcount
        cursor.execute("ANALYZE accounts_usageentry")  # as the server does by itself within a minute
    return new


def summed(rows: Any, *dimensions: str) -> dict[tuple[Any, ...], tuple[int, ...]]:
    totals = rows.order_by().values(*dimensions).annotate(**{f"sum_{name}": Sum(name) for name in SUMS})
    return {tuple(row[name] for name in dimensions): tuple(int(row[f"sum_{name}"]) for name in SUMS) for row in totals}


def assert_rollups_equal_the_ledger() -> None:
    """In each combination of all dimensions, and so in any one of them and in total."""
    ledger = UsageEntry.objects.across_workspaces()
    for grain, start in (("hour", TruncHour("occurred_at")), ("day", TruncDay("occurred_at"))):
        rollups = UsageRollup.objects.across_workspaces().filter(grain=grain)
        assert summed(rollups.annotate(at=F("start")), "at", *DIMENSIONS) == summed(
            ledger.annotate(at=start), "at", *DIMENSIONS
        )


def fingerprint_of_rollups() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT md5(string_agg(r::text, ';' ORDER BY id)) FROM accounts_usagerollup r")
        value: str = cursor.fetchall()[0][0]
        return value


def somebody_waits_for_us() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND transactionid = pg_current_xact_id()::xid)"
        )
        return bool(cursor.fetchall()[0][0])


def test_rollups_equal_the_ledger_whatever_is_repeated_late_or_killed(
    shop: Workspace, other_shop: Workspace, start_worker: StartWorker
) -> None:
    shops = [shop, other_shop]
    assert insert(shops, 1, ENTRIES) == ENTRIES
    assert roll_up()
    assert_rollups_equal_the_ledger()
    before, mark = fingerprint_of_rollups(), RollupMark.objects.get().recorded_until

    assert insert(shops, ENTRIES + 1, ENTRIES + LATE, days_ago=20) == LATE
    assert insert(shops, ENTRIES + 1 - REPEATED, ENTRIES + LATE) == 0
    with transaction.atomic():
        RollupMark.objects.select_for_update().get()
        worker = start_worker(roll_up)  # sums up, and waits for the mark
        assert eventually(somebody_waits_for_us)
        worker.end()
    assert eventually(roll_up_is_free, 10)
    assert (fingerprint_of_rollups(), RollupMark.objects.get().recorded_until) == (before, mark)

    assert roll_up()

    assert entered(shop) + entered(other_shop) == 100_000
    assert_rollups_equal_the_ledger()
    after = fingerprint_of_rollups()
    assert roll_up()
    assert fingerprint_of_rollups() == after


def roll_up_is_free() -> bool:
    """Whether the server has noticed that the killed worker is gone."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [ADVISORY_LOCK])
        return bool(cursor.fetchall()[0][0])


def test_one_rolls_up_at_a_time(shop: Workspace, start_worker: StartWorker) -> None:
    enter(shop)
    with transaction.atomic():
        assert roll_up()
        assert start_worker(roll_up).result() is False

    assert start_worker(roll_up).result() is True


def test_line_seen_after_a_later_one_was_rolled_up_still_counts(shop: Workspace) -> None:
    now = timezone.now()
    slow = connections.create_connection("default")
    slow.settings_dict["NAME"] = connection.settings_dict["NAME"]
    slow.set_autocommit(False)
    try:
        with slow.cursor() as cursor:
            cursor.execute(INSERT, {"workspaces": [shop.pk] * 2, "first": 1, "last": 1, "days_ago": 0})
        enter(shop, occurred_at=now)
        roll_up()
        assert UsageRollup.objects.in_workspace(shop).filter(grain="day").aggregate(n=Sum("answers")) == {"n": 1}

        slow.commit()
    finally:
        slow.close()
    roll_up()

    assert UsageRollup.objects.in_workspace(shop).filter(grain="day").aggregate(n=Sum("answers")) == {"n": 2}
    assert_rollups_equal_the_ledger()


# --- Reconciliation ---------------------------------------------------------------------------------------------------


def test_live_traffic_is_no_difference(shop: Workspace, start_worker: StartWorker) -> None:
    spenders = [start_worker(keep_spending, Payer(shop.pk, "api"), 2.0) for _ in range(2)]
    looks = 0
    while any(spender.process.is_alive() for spender in spenders):
        roll_up()
        found = check_accounts(default_since())
        assert [difference for part in found for difference in part.differences] == []
        looks += 1

    assert all(spender.result() > 0 for spender in spenders)
    assert looks > 5
