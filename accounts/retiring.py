"""What Valkey holds and a change has made wrong is taken away: at once as a rule, and in any case.

The change's own transaction writes down the names (triggers, see sql/retiring.sql), so whoever sees the change
committed finds them, and none is forgotten. Whoever made the change acts on them as soon as it is committed, before
they answer: whatever is asked after that answer meets no old value. Should they die in between, or Valkey be away, the
clock does it within `JOB_SWEEP_SECONDS` of Valkey's return.

A Valkey that crashes may come back with what it held up to two seconds before (`appendfsync everysec`), the old value
among it. So every name is retired again for as long as `AGAIN`: a few seconds after its return all is right again.

Nobody puts an old value back: stamps are never put twice (accounts.stamps), and a text that was read before the change
ends no later than the floor that was set by it (lua/retire.lua).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import structlog
from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django_redis import get_redis_connection
from redis.exceptions import RedisError

from accounts.models import Retirement

log = structlog.get_logger()

AGAIN = timedelta(seconds=10)
FLOOR_MS = 5 * 60 * 1000  # longer than any request or task may take from reading a row to putting it into Valkey
AT_ONCE = 1_000
_RETIRE = (Path(__file__).parent / "lua" / "retire.lua").read_text()


def key_of(name: str) -> str:
    """A name in Valkey. Raising CACHE_VERSION retires all of them at once, and nothing else that Valkey holds."""
    key: str = cache.make_key(name, version=settings.CACHE_VERSION)
    return key


def floor_of(name: str) -> str:
    return key_of(f"{name}:floor")


def retire_on_commit() -> None:
    """Call it in every transaction that changes what may be held; what that is, the database knows."""
    transaction.on_commit(retire, robust=True)


def retire() -> int:
    """What is new. Returns how many names."""
    return sum(len(some) for some in _retire(Retirement.objects.filter(is_done=False)))


def sweep() -> int:
    """What is new, again what is recent, and forget what is old. Returns how many names."""
    retired = 0
    for some in _retire(Retirement.objects.all()):
        retired += len(some)
        Retirement.objects.filter(pk__in=some, changed_at__lt=Now() - AGAIN).delete()
    return retired


def _retire(rows: QuerySet[Retirement]) -> Iterator[list[int]]:
    """Ids of what was taken away, some at a time."""
    last = 0
    while some := list(rows.filter(pk__gt=last).order_by("pk")[:AT_ONCE]):
        try:
            _take_away(some)
        except RedisError as error:
            log.warning("not_retired_yet", error=type(error).__name__)
            return
        ids = [row.pk for row in some]
        Retirement.objects.filter(pk__in=ids, is_done=False).update(is_done=True)
        last = ids[-1]
        yield ids


def _take_away(rows: Sequence[Retirement]) -> None:
    with get_redis_connection("default").pipeline(transaction=False) as names:
        for name, floor in {(row.name, row.floor) for row in rows}:
            names.eval(_RETIRE, 2, key_of(name), floor_of(name), "" if floor is None else floor, FLOOR_MS)
        names.execute()
