"""An engine that does not answer is waited for once, not at every call.

After one failure callers are turned away for a few seconds. Then a single one tries: its success lets everybody
through again, its failure starts the wait anew.
"""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from redis import Redis
from redis.client import Pipeline
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

# Long enough that a hung Redis costs a process one time-out in so many seconds, short enough to be back soon.
REDIS_SECONDS = 5.0


class NotAsked(RedisConnectionError):
    """The fuse is blown."""


class Fuse:
    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds = seconds
        self.clock = clock
        self._lock = threading.Lock()
        self._try_at = 0.0  # 0 while all is well

    def lets_through(self) -> bool:
        """Also the one caller who is to find out whether it works again: that one must say what it found."""
        if not self._try_at:
            return True
        with self._lock:
            now = self.clock()
            if now < self._try_at:
                return False
            self._try_at = now + self.seconds
            return True

    def blow(self) -> None:
        with self._lock:
            self._try_at = self.clock() + self.seconds

    def mend(self) -> None:
        if self._try_at:
            with self._lock:
                self._try_at = 0.0


@functools.lru_cache
def redis_fuse(address: str) -> Fuse:
    """One for each server, whatever uses it in this process."""
    return Fuse(REDIS_SECONDS)


def _address(connection: dict[str, Any]) -> str:
    return str(connection.get("path") or (connection.get("host"), connection.get("port")))


@contextmanager
def _guarded(fuse: Fuse) -> Iterator[None]:
    if not fuse.lets_through():
        raise NotAsked("Redis did not answer a moment ago.")
    try:
        yield
    except (RedisConnectionError, RedisTimeoutError):
        fuse.blow()
        raise
    except RedisError:
        fuse.mend()  # a refusal is an answer
        raise
    fuse.mend()


class FusedPipeline(Pipeline):
    def execute(self, raise_on_error: bool = True) -> list[Any]:
        with _guarded(redis_fuse(_address(self.connection_pool.connection_kwargs))):
            return super().execute(raise_on_error)


class FusedRedis(Redis):
    """django-redis' client: cache, limits and whatever else uses the connection share the server's fuse."""

    def execute_command(self, *args: Any, **options: Any) -> Any:
        with _guarded(redis_fuse(_address(self.connection_pool.connection_kwargs))):
            return super().execute_command(*args, **options)  # type: ignore[no-untyped-call]

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> FusedPipeline:
        return FusedPipeline(self.connection_pool, self.response_callbacks, transaction, shard_hint)
