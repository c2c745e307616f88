"""After Valkey has forgotten everything: the most used entries are put back before they are asked for."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import structlog
from django.conf import settings
from django.utils import timezone
from django_redis import get_redis_connection
from redis.exceptions import RedisError

from accounts.retiring import key_of
from generation.caching import exact, front
from generation.caching.codec import pack
from generation.models import CachedText

log = structlog.get_logger()

WARM_CACHE = "generation.tasks.warm_cache"
AT_ONCE = 200
_MARKER = "warm"  # gone with everything else


def is_cold() -> bool:
    """Whether Valkey is there and has forgotten that it was filled."""
    try:
        return not get_redis_connection("default").exists(key_of(_MARKER))
    except RedisError:
        return False


def warm() -> int:
    """Put back the most used entries, as many as the settings allow, and only then say that it is done. Returns how
    many. It may run twice, or die and run again: an entry that is there already ends no earlier."""
    put = 0
    values = _within_bytes(_most_used())
    while some := list(itertools.islice(values, AT_ONCE)):
        front.put_packed(some)
        put += len(some)
    try:
        get_redis_connection("default").set(key_of(_MARKER), put, ex=settings.TEXT_CACHE_SECONDS)
    except RedisError as error:
        log.warning("cache_not_warm", error=type(error).__name__)
    return put


def _most_used() -> Iterator[tuple[str, bytes]]:
    rows = CachedText.objects.across_workspaces().filter(hits__gt=0, expires_at__gt=timezone.now())
    for row in rows.defer("embedding", "masked", "words", "facts", "brief").order_by("-hits")[: settings.WARM_TEXTS]:
        value = pack(exact.entry_of(row), front.ends_ms(row.expires_at))
        yield front.name_of(row.workspace_id, row.key), value
        if row.is_public:
            yield front.name_of(row.workspace_id, front.public_key(row.key)), value


def _within_bytes(values: Iterator[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
    total = 0
    for name, value in values:
        total += len(name) + len(value)
        if total > settings.WARM_BYTES:
            return
        yield name, value
