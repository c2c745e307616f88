"""Texts by fingerprint: Valkey/Redis in front, PostgreSQL behind."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import PLATFORM_WORKSPACE_ID, TenantQuerySet
from accounts.retiring import retire_on_commit
from contentopt.database.rows import insert
from generation.caching import front
from generation.caching.asking import Ask
from generation.caching.embedding import embed
from generation.caching.entries import Entry
from generation.facts import brief_settings, facts_to_json
from generation.models import CachedText

REPLACED = (
    "subject", "brief", "facts", "fields", "evidence", "provider", "model_id", "tier", "cost_nanos", "origin", "donor",
    "facts_hash", "bucket", "words", "masked", "embedding", "is_public", "created_at", "expires_at",
)  # fmt: skip


def look_up(ask: Ask) -> Entry | None:
    """The workspace's own text, else one of the public pool if nothing of the workspace's own is asked for."""
    return look_up_in_front(ask) or look_up_behind(ask)


def look_up_in_front(ask: Ask) -> Entry | None:
    """The same in Valkey alone."""
    names = [(ask.workspace_id, ask.key)]
    if ask.may_be_public:
        names.append((PLATFORM_WORKSPACE_ID, front.public_key(ask.key)))
    return front.get_first(names)


def look_up_behind(ask: Ask) -> Entry | None:
    """The same in PostgreSQL alone, where a text is from the moment it is written."""
    rows = texts_for(ask.workspace_id, may_be_public=ask.may_be_public)
    rows = rows.filter(key=ask.key, expires_at__gt=timezone.now())
    row = min(rows, key=lambda row: row.workspace_id != ask.workspace_id, default=None)
    if row is None:
        return None
    entry, is_own = entry_of(row), row.workspace_id == ask.workspace_id
    front.put(row.workspace_id, ask.key if is_own else front.public_key(ask.key), entry, row.expires_at)
    return entry


def texts_for(workspace_id: UUID, *, may_be_public: bool) -> TenantQuerySet[CachedText]:
    """The workspace's own, and the public pool's if such a text would do."""
    own = CachedText.objects.in_workspace(workspace_id)
    if not may_be_public:
        return own
    return own | CachedText.objects.in_workspace(PLATFORM_WORKSPACE_ID).filter(is_public=True)


def entry_of(row: CachedText) -> Entry:
    return Entry(
        row.fields,
        row.evidence,
        row.provider,
        row.model_id,
        row.tier,
        row.cost_nanos,
        row.origin,
        str(row.donor or ""),
    )


def known_keys(workspace_id: UUID, keys: Sequence[str], *, may_be_public: bool = False) -> set[str]:
    """Which of these PostgreSQL holds, in the public pool too if such a text would do: for the price shown before."""
    rows = texts_for(workspace_id, may_be_public=may_be_public)
    rows = rows.filter(key__in=keys, expires_at__gt=timezone.now())
    return set(rows.values_list("key", flat=True))


def store(ask: Ask, entry: Entry, *, is_public: bool = False) -> None:
    """Durable at once or with the caller's transaction; in front only once it is."""
    row = CachedText(
        workspace_id=ask.workspace_id,
        key=ask.key,
        subject=ask.subject,
        brief=brief_settings(ask.brief),
        facts=facts_to_json(ask.brief.facts),
        facts_hash=ask.facts_hash,
        bucket=ask.bucket,
        words=ask.wording.kept(),
        masked=ask.wording.masked,
        embedding=embed(ask.wording.masked),
        expires_at=timezone.now() + timedelta(days=settings.TEXT_KEEP_DAYS),
        is_public=is_public,
        **{**asdict(entry), "donor": entry.donor or None},
    )
    insert(row, once_by=("workspace", "key"), replaces=REPLACED)
    transaction.on_commit(functools.partial(front.put, ask.workspace_id, ask.key, entry, row.expires_at), robust=True)


def forget(workspace_id: UUID, *keys: str) -> None:
    """From now on each is a miss: a person did not want this text."""
    CachedText.objects.in_workspace(workspace_id).filter(key__in=keys).delete()
    retire_on_commit()
