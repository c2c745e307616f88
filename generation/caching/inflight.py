"""Single flight: identical briefs at the same moment make one upstream call, across processes and machines."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from accounts.budgets import SpendingRefused
from contentopt import connections
from contentopt.errors import DomainError
from contentopt.leases import Lease, beating
from generation.models import Flight

# Followers ask again ever more slowly: fifty of them must not take the leader's processor away.
FIRST_POLL_SECONDS, LAST_POLL_SECONDS = 0.05, 0.4

# Neither waits for the disk: what a server that dies forgets of flights is whom to wait for, and that is over too.
_TAKE_OFF = """
INSERT INTO generation_flight (id, workspace_id, key, token, lease_until, failure)
VALUES (gen_random_uuid(), %(workspace)s, %(key)s, %(token)s,
        statement_timestamp() + make_interval(secs => %(lease)s), NULL)
ON CONFLICT (workspace_id, key) DO UPDATE
   SET token = excluded.token, lease_until = excluded.lease_until, failure = NULL
 WHERE generation_flight.lease_until < statement_timestamp()
RETURNING id, set_config('synchronous_commit', 'off', true)
"""

_LAND = """
DELETE FROM generation_flight WHERE id = %s AND token = %s RETURNING set_config('synchronous_commit', 'off', true)
"""


@dataclass(frozen=True, slots=True)
class Leader:
    id: UUID
    workspace_id: UUID
    key: str
    token: UUID


def take_off(workspace_id: UUID, key: str) -> Leader | None:
    """Lead the flight of this key, or None while somebody else does."""
    token = uuid.uuid4()
    with connection.cursor() as cursor:
        values = {"workspace": workspace_id, "key": key, "token": token, "lease": settings.JOB_LEASE_SECONDS}
        cursor.execute(_TAKE_OFF, values)
        row = cursor.fetchone()
    return Leader(row[0], workspace_id, key, token) if row else None


@contextmanager
def leading(lead: Leader, *, shared: type[DomainError] = DomainError) -> Iterator[None]:
    """Keep the lease while the block runs; land when it ends, leaving the reason for the followers if it failed in a
    `shared` way. A failure of the leader's own lets the next in line try."""
    try:
        with beating(Lease(Flight, lead.id, "token", lead.token)):
            yield
    except shared as error:
        # Who pays is never shared: the next in line may be luckier.
        # Only now, with the heartbeat at rest: a late beat would keep the failed flight in the air.
        failure = None if isinstance(error, SpendingRefused) else error.to_json()
        _ours(lead).update(failure=failure, lease_until=Now())
        raise
    except BaseException:
        _ours(lead).update(lease_until=Now())
        raise
    with connection.cursor() as cursor:
        cursor.execute(_LAND, [lead.id, lead.token])


def _ours(lead: Leader) -> QuerySet[Flight]:
    return Flight.objects.in_workspace(lead.workspace_id).filter(key=lead.key, token=lead.token)


def follow(workspace_id: UUID, key: str, *, until: float) -> None:
    """Wait for the leader to land or to die. Raises the leader's failure, or 503 at `until` (monotonic seconds)."""
    # The database's clock wrote the lease and reads it: another machine's may be seconds off.
    flight = Flight.objects.in_workspace(workspace_id).filter(key=key).annotate(is_down=Q(lease_until__lt=Now()))
    pause = FIRST_POLL_SECONDS
    while time.monotonic() < until:
        row = flight.first()
        if row is None:
            return
        if row.failure is not None:
            raise DomainError(**row.failure)
        if row.is_down:
            return
        connections.sleep(pause)
        pause = min(pause * 1.5, LAST_POLL_SECONDS)
    raise DomainError(
        "An identical request is still being written. Nothing was charged to this one; try again in a moment.",
        code="provider_unavailable",
        status=503,
        retry_after=5,
    )
