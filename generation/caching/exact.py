"""Texts by fingerprint: Valkey/Redis in front, PostgreSQL behind.

A cache that is down or slow is a miss in front, never an error.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.cache import cache
from django.utils import timezone

from generation.facts import CHECK_VERSION
from generation.models import CachedText

PROMPT_VERSION = 1  # raise it with generation.prompts, and older texts are no longer served


@dataclass(frozen=True, slots=True)
class Entry:
    fields: dict[str, str]
    evidence: list[dict[str, Any]]
    provider: str
    model_id: str


def cache_key(fingerprint: str, route: Sequence[str]) -> str:
    """`route` is the ordered model ids that may serve the brief: a text by the offline writer is not served once a
    model is connected."""
    versions = hashlib.sha256(repr((PROMPT_VERSION, CHECK_VERSION, tuple(route))).encode()).hexdigest()
    return f"{fingerprint}-{versions[:12]}"


def _front_key(workspace_id: UUID, key: str) -> str:
    return f"text:{workspace_id}:{key}"


def look_up(workspace_id: UUID, key: str) -> Entry | None:
    front = cache.get(_front_key(workspace_id, key))
    if front is not None:
        return Entry(**front)
    row = CachedText.objects.in_workspace(workspace_id).filter(key=key, expires_at__gt=timezone.now()).first()
    if row is None:
        return None
    entry = Entry(row.fields, row.evidence, row.provider, row.model_id)
    cache.set(_front_key(workspace_id, key), asdict(entry), settings.TEXT_CACHE_SECONDS)
    return entry


def known_keys(workspace_id: UUID, keys: Sequence[str]) -> set[str]:
    """Which of these PostgreSQL holds: for the price shown before a run."""
    rows = CachedText.objects.in_workspace(workspace_id).filter(key__in=keys, expires_at__gt=timezone.now())
    return set(rows.values_list("key", flat=True))


def store(workspace_id: UUID, key: str, entry: Entry) -> None:
    CachedText.objects.bulk_create(
        [
            CachedText(
                workspace_id=workspace_id,
                key=key,
                expires_at=timezone.now() + timedelta(days=settings.TEXT_KEEP_DAYS),
                **asdict(entry),
            )
        ],
        update_conflicts=True,
        unique_fields=["workspace", "key"],
        update_fields=["fields", "evidence", "provider", "model_id", "expires_at"],
    )
    cache.set(_front_key(workspace_id, key), asdict(entry), settings.TEXT_CACHE_SECONDS)


def forget(workspace_id: UUID, key: str) -> None:
    CachedText.objects.in_workspace(workspace_id).filter(key=key).delete()
    cache.delete(_front_key(workspace_id, key))
