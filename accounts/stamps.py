"""What a process may remember of PostgreSQL without asking it again: as long as Valkey still holds the stamps it was
loaded under.

A stamp is a random value under a name, `account:<workspace>` for one. It is set, if nobody has, *before* the rows are
read, and deleted once a change of them is committed (accounts.retiring). Whoever uses what they remember has Valkey
compare the stamps first. So, in whatever order load, change and loss fall:

- Read before the change was committed: the stamp is older than the reading, the deletion takes it away, and what was
  read is never used after that. Nobody can set the same stamp again, for it is random.
- Read after the change was committed, under a stamp that is then deleted: right, but loaded once more.
- Valkey flushed, restarted empty, or the stamp evicted at any moment: no stamp, or one set by somebody else since. What
  was remembered is not used.
- Valkey away: nothing is compared, so nothing that is remembered is used, and PostgreSQL is asked as ever.
- Between the commit and the deletion, a millisecond later, a request may still see the account as it was. Whoever made
  the change has no answer yet.
- Whoever made the change dies in between, or Valkey loses its last seconds: accounts.retiring says how that is healed.
  Nothing is remembered for longer than `ACCOUNT_CACHE_SECONDS` in any case.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from django.conf import settings
from django_redis import get_redis_connection

from accounts.retiring import key_of

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")

STAMP_SECONDS = 24 * 3600  # it may be lost at any time; this is for those that nobody needs any more


class Stamp(NamedTuple):
    key: str
    value: bytes


@dataclass(frozen=True, slots=True)
class Stamped(Generic[T]):
    value: T
    stamps: tuple[Stamp, ...]
    loaded_at: float


def read_stamps(names: Sequence[str]) -> tuple[Stamp, ...]:
    """Those that are there, new ones where there is none. Raises RedisError."""
    keys = [key_of(name) for name in names]
    with get_redis_connection("default").pipeline() as both:
        for key in keys:
            both.set(key, secrets.token_hex(8), nx=True, ex=STAMP_SECONDS)
        both.mget(keys)
        *_, values = both.execute()
    return tuple(map(Stamp, keys, values))


def are_set(stamps: Sequence[Stamp]) -> bool:
    """Whether nothing has changed since what was loaded under them. Raises RedisError."""
    present: list[bytes | None] = get_redis_connection("default").mget([stamp.key for stamp in stamps])
    return present == [stamp.value for stamp in stamps]


class Remembered(Generic[K, T]):
    """A process's memory: what was used last, of no more than `most` keys."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._known: OrderedDict[K, Stamped[T]] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, key: K) -> Stamped[T] | None:
        with self._lock:
            found = self._known.get(key)
            if found is None:
                return None
            if time.monotonic() - found.loaded_at > settings.ACCOUNT_CACHE_SECONDS:
                del self._known[key]
                return None
            self._known.move_to_end(key)
            return found

    def load(self, key: K, names: Sequence[str], read: Callable[[], T | None]) -> Stamped[T] | None:
        """`read` asks PostgreSQL; what it does not find is not remembered. Raises RedisError."""
        started, stamps = time.monotonic(), read_stamps(names)
        value = read()
        if value is None:
            return None
        loaded = Stamped(value, stamps, started)
        with self._lock:
            self._known[key] = loaded
            self._known.move_to_end(key)
            if len(self._known) > self.most:
                self._known.popitem(last=False)
        return loaded

    def forget(self, key: K) -> None:
        with self._lock:
            self._known.pop(key, None)
