"""Texts that somebody wants to read as they are written: given at once when they are known, else a worker's."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from accounts.budgets import Payer
from accounts.models import User, Workspace
from contentopt import jobs
from contentopt.jobs import UNFINISHED, JobState
from generation.engine.routes import read_offer
from generation.engine.writing import look_up
from generation.facts import Brief, brief_settings, facts_hash, facts_to_json
from generation.models import Product, Stream, Text, quota_key_of_facts
from generation.services import texts
from generation.services.idempotency import replayed
from generation.streams.writing import WRITE_STREAM


def describe_aloud(
    *,
    workspace: Workspace,
    payer: Payer,
    brief: Brief,
    idempotency_key: str | None = None,
    request_hash: str = "",
    remaining: dict[str, int | None],
    is_explained: bool,
) -> Text | Stream:
    """As `texts.describe`, without waiting for a text that must be written first."""
    if earlier := _replayed(workspace, idempotency_key, request_hash):
        return earlier
    if known := look_up(brief, payer=payer, product_key=quota_key_of_facts(facts_hash(brief.facts))):
        return texts.store_described(known, brief, workspace, idempotency_key, request_hash)
    try:
        return start_stream(
            payer,
            brief,
            idempotency_key=idempotency_key,
            request_hash=request_hash,
            remaining=remaining,
            is_explained=is_explained,
        )
    except IntegrityError:
        # The same key arrived twice at once.
        earlier = _replayed(workspace, idempotency_key, request_hash)
        if earlier is None:
            raise
        return earlier


def _replayed(workspace: Workspace, idempotency_key: str | None, request_hash: str) -> Text | Stream | None:
    if text := replayed(Text.objects.in_workspace(workspace), idempotency_key, request_hash):
        return text
    streams = Stream.objects.in_workspace(workspace).exclude(state=JobState.FAILED)
    return replayed(streams, idempotency_key, request_hash)


def rewrite_aloud(*, product: Product, changes: dict[str, Any], created_by: User | None = None) -> Text | Stream:
    """As `texts.rewrite`, likewise. A product has one stream at a time: whoever asks again reads along.

    The offline writer takes no time that anybody could read along in.
    """
    if running := stream_of(product):
        return running
    if read_offer().is_offline:
        return texts.rewrite(product=product, changes=changes, created_by=created_by)
    asked = texts.rewriting(product, changes)
    payer = texts.page_payer(product, created_by)
    if not asked.variation and (known := look_up(asked.brief, payer=payer, product_key=product.quota_key)):
        return texts.store_rewritten(known, asked, product, created_by)
    try:
        return start_stream(
            payer, asked.brief, product=product, variation=asked.variation, is_proposal=asked.is_proposal
        )
    except IntegrityError:
        running = stream_of(product)
        if running is None:
            raise
        return running


def stream_of(product: Product) -> Stream | None:
    """The one in which the product's text is being written right now."""
    return product.streams.filter(state__in=UNFINISHED).first()


def last_failure(product: Product) -> Stream | None:
    """The last stream, if no text came of it and none came since."""
    last = product.streams.first()
    if last is None or last.state != JobState.FAILED or product.texts.filter(created_at__gt=last.created_at).exists():
        return None
    return last


def start_stream(payer: Payer, brief: Brief, **columns: Any) -> Stream:
    with transaction.atomic():
        stream = Stream.objects.create(
            workspace_id=payer.workspace_id,
            endpoint=payer.endpoint,
            created_by_id=payer.user_id,
            api_key_id=payer.api_key_id,
            brief=brief_settings(brief),
            facts=facts_to_json(brief.facts),
            published_at=Now(),
            **columns,
        )
        transaction.on_commit(partial(_publish, stream), robust=True)
    return stream


def _publish(stream: Stream) -> None:
    if not jobs.publish(WRITE_STREAM, str(stream.pk)):
        # Left to the sweeper, soon rather than when the message would be taken for lost.
        Stream.objects.in_workspace(stream.workspace_id).filter(pk=stream.pk).update(published_at=None)
