"""Django's cache on Valkey, and what of it cannot wait for Valkey to come back.

allauth counts failed sign-ins and remembers used codes in Django's cache, and turns everybody away while that does not
answer. So as long as Valkey is away these few keys are kept in the process's own memory: people go on signing in, and
guessing stays slowed down, by each web process for itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.cache.backends.locmem import LocMemCache
from django_redis.cache import RedisCache
from django_redis.exceptions import ConnectionInterrupted

OF_SIGN_IN = "allauth"  # how names of allauth's keys begin
MOST_KEPT = 10_000


class SteadyCache(RedisCache):  # type: ignore[misc]
    local = LocMemCache("sign-in", {"MAX_ENTRIES": MOST_KEPT})

    def get(self, key: str, default: Any = None, **options: Any) -> Any:
        return self._ask("get", super().get, key, default, **options)

    def set(self, key: str, value: Any, *arguments: Any, **options: Any) -> Any:
        return self._ask("set", super().set, key, value, *arguments, **options)

    def add(self, key: str, value: Any, *arguments: Any, **options: Any) -> Any:
        return self._ask("add", super().add, key, value, *arguments, **options)

    def delete(self, key: str, **options: Any) -> Any:
        return self._ask("delete", super().delete, key, **options)

    def _ask(self, name: str, usual: Callable[..., Any], key: str, *arguments: Any, **options: Any) -> Any:
        if not key.startswith(OF_SIGN_IN):
            return usual(key, *arguments, **options)
        try:
            return getattr(self.client, name)(key, *arguments, **options)
        except ConnectionInterrupted:
            return getattr(self.local, name)(key, *arguments, **options)
