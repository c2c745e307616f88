"""The queue of streams: claim, write, end."""

from __future__ import annotations

from uuid import UUID

import structlog
from django.db import IntegrityError, transaction

from accounts.budgets import Payer
from contentopt import jobs
from contentopt.errors import DomainError
from contentopt.jobs import JobState
from contentopt.tenancy import entering
from generation.engine import upkeep
from generation.engine.storing import store_text
from generation.engine.writing import Written, write
from generation.facts import Brief, brief_from, facts_from_json, facts_hash
from generation.models import CachedText, Stream, Text, quota_key_of_facts
from generation.streams.publishing import Channel, open_channel

log = structlog.get_logger()

WRITE_STREAM = "generation.tasks.write_stream"
DIED = "Writing this text stopped the worker several times, so it was set aside. Ask again, or write to support."
VISITOR = "visitor"


def write_stream(stream_id: UUID | str) -> JobState | None:
    """Claim a stream and bring it to an end. None when there was nothing to claim or the lease was lost."""
    stream = jobs.claim(Stream, stream_id)
    if stream is None:
        return None
    channel = open_channel(stream.pk, stream.attempt)
    try:
        with entering(stream.workspace_id):
            state = _write(stream, channel)
    except jobs.LostLease:
        log.info("lease_lost", stream=str(stream.pk))
        return None
    channel.end()
    return state


def _write(stream: Stream, channel: Channel) -> JobState:
    brief = brief_of(stream)
    try:
        with jobs.heartbeat(stream):
            written = write(
                brief,
                payer=payer_of(stream),
                product_key=quota_key_of(stream, brief),
                variation=stream.variation,
                listener=channel,
            )
    except DomainError as error:
        # Nobody waits for a second try: who reads along is told now, and may ask again.
        jobs.finish(stream, JobState.FAILED, failure=error.message, refusal=error.to_json())
        return JobState.FAILED
    try:
        _store(stream, brief, written)
    except IntegrityError:
        if not stream.idempotency_key:
            raise
        # The same key was sent without a stream at the same time; that text was stored.
        same = Text.objects.in_workspace(stream.workspace_id).filter(idempotency_key=stream.idempotency_key)
        jobs.finish(stream, JobState.DONE, text=same.get())
    return JobState.DONE


@transaction.atomic
def _store(stream: Stream, brief: Brief, written: Written) -> None:
    jobs.hold_lease(stream)
    text = store_text(
        written,
        brief,
        workspace_id=stream.workspace_id,
        product=stream.product,
        created_by=stream.created_by if stream.product else None,
        idempotency_key=stream.idempotency_key,
        request_hash=stream.request_hash,
        is_proposal=stream.is_proposal,
    )
    if stream.variation and not stream.is_proposal:
        upkeep.set_entry(text, CachedText.Origin.MODEL)
    jobs.finish(stream, JobState.DONE, text=text)


def brief_of(stream: Stream) -> Brief:
    return brief_from(stream.brief, facts_from_json(stream.facts))


def payer_of(stream: Stream) -> Payer:
    return Payer(stream.workspace_id, stream.endpoint, user_id=stream.created_by_id, api_key_id=stream.api_key_id)


def quota_key_of(stream: Stream, brief: Brief) -> str | None:
    """What counts in the month's quota; visitors have none."""
    if stream.product:
        return stream.product.quota_key
    return None if stream.endpoint == VISITOR else quota_key_of_facts(facts_hash(brief.facts))


def sweep_streams() -> None:
    """Re-send what was lost, end what died. Running it twice changes nothing more."""
    jobs.fail_exhausted(Stream, DIED)
    jobs.publish_due(Stream, WRITE_STREAM)
