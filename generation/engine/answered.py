"""Texts that were given without PostgreSQL, and how they come to be in it.

Such an answer is a line in the stream of free answers (accounts.metering) that holds what was asked and the entry that
was given, as it was: whatever happens to the entry afterwards, the text is stored as it was served. The row is written
with the ledger's line, in one transaction, seconds later.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import structlog
from django.db import DataError, IntegrityError, connection, transaction
from redis.exceptions import RedisError

from accounts import metering, quotas
from accounts.metering import Line
from accounts.models import PLATFORM_WORKSPACE_ID, UsageEntry
from generation.caching.codec import compress, decompress, unpack
from generation.caching.entries import Entry
from generation.engine.layers import Trail, found_exact
from generation.engine.storing import given_columns
from generation.engine.writing import Spent
from generation.models import CachedText, Text, quota_key_of_facts

log = structlog.get_logger()

AT_ONCE_FOR_A_READER = 5_000  # about a second
_STORE = """
INSERT INTO generation_text SELECT * FROM jsonb_populate_recordset(NULL::generation_text, %s)
ON CONFLICT (id) DO NOTHING
"""
_COUNT_HITS = (Path(__file__).parent.parent / "sql" / "count_hits.sql").read_text()


def answered_text(text_id: UUID, workspace_id: UUID, asked: dict[str, Any], entry: Entry, at: datetime) -> Text:
    """Not saved. `asked` is as generation.engine.storing.asked_columns has it."""
    trail = Trail()
    found = found_exact(entry, trail)
    return Text(
        id=text_id,
        workspace_id=workspace_id,
        explanation=trail.steps,
        created_at=at,
        updated_at=at,
        **asked,
        **given_columns(found.entry, found.source, Spent()),
    )


def pack_asked(asked: dict[str, Any]) -> bytes:
    return compress(json.dumps(asked).encode())


def bring_in() -> None:
    """For a reader who does not find what was given a moment ago."""
    try:
        metering.drain_free_answers(at_most=AT_ONCE_FOR_A_READER)
    except RedisError as error:
        log.warning("answers_not_brought_in", error=type(error).__name__)


def take_in(answers: Sequence[tuple[UsageEntry, Line]]) -> None:
    """Store the texts that only the lines know, and count the hits of all. Each answer comes here once."""
    texts = [text for usage, line in answers if (text := _read(usage, line))]
    try:
        with transaction.atomic():
            _store(texts)
    except (DataError, IntegrityError):
        for text in texts:
            _store_alone(text)
    for text in texts:
        if text.source == Text.Source.PRECOMPUTED:
            transaction.on_commit(functools.partial(_count_product, text.workspace_id, text.cache_key), robust=True)
    ids = [usage.text_id for usage, _ in answers]
    with connection.cursor() as cursor:
        cursor.execute(_COUNT_HITS, {"text_ids": ids, "platform": PLATFORM_WORKSPACE_ID})


def _count_product(workspace_id: UUID, cache_key: str) -> None:
    """Of a text that was written ahead for this workspace; the public pool's are not of its products."""
    entry = CachedText.objects.in_workspace(workspace_id).filter(key=cache_key).first()
    if entry is not None:
        quotas.count_used(workspace_id, quota_key_of_facts(entry.facts_hash))


def _read(usage: UsageEntry, line: Line) -> Text | None:
    if b"asked" not in line or usage.text_id is None:
        return None
    try:
        asked, entry = json.loads(decompress(line[b"asked"])), unpack(line[b"entry"])
        if entry is None:
            raise ValueError("written by another version")
        return answered_text(usage.text_id, usage.workspace_id, asked, entry, usage.occurred_at)
    except (KeyError, TypeError, ValueError) as error:
        log.error("answered_text_unreadable", text=str(usage.text_id), error=type(error).__name__)
        return None


def _store(texts: Sequence[Text]) -> None:
    rows = [{field.column: field.value_from_object(text) for field in Text._meta.concrete_fields} for text in texts]
    with connection.cursor() as cursor:
        cursor.execute(_STORE, [json.dumps(rows, default=str)])


def _store_alone(text: Text) -> None:
    """One that PostgreSQL does not take must not keep the others out for ever."""
    try:
        with transaction.atomic():
            _store([text])
    except (DataError, IntegrityError) as error:
        log.error("answered_text_refused", text=str(text.pk), error=type(error).__name__)
