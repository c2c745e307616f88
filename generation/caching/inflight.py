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
from django.utils import timezone

from contentopt import jobs
from contentopt.errors import DomainError
from generation.models import Flight

POLL_SECONDS = 0.05

_TAKE_OFF = """
INSERT INTO generation_flight (id, workspace_id, key, token, lease_until, failure)
VALUES (gen_random_uuid(), %(workspace)s, %(key)s, %(token)s, statement_timestamp() + make_interval(secs => %(lease)s), NULL)
ON CONFLICT (workspace_id, key) DO UPDATE
   SET token = excluded.token, lease_until = excluded.lease_until, failure = NULL
 WHERE generation_flight.lease_until < statement_timestamp()
RETURNING token
"""


@dataclass(frozen=True, slots=True)
class Leader:
    workspace_id: UUID
    key: str
    token: UUID


def take_off(workspace_id: UUID, key: str) -> Leader | None:
    """Lead the flight of this key, or None while somebody else does."""
    lead = Leader(workspace_id, key, uuid.uuid4())
    with connection.cursor() as cursor:
        cursor.execute(_TAKE_OFF, {"workspace": workspace_id, "key": key, "token": lead.token, "lease": settings.JOB_LEASE_SECONDS})
        return lead if cursor.fetchone() else None


@contextmanager
def leading(lead: Leader) -> Iterator[None]:
    """Keep the lease while the block runs; land when it ends, leaving the reason for the followers if it failed."""
    mine = Flight.objects.in_workspace(lead.workspace_id).filter(key=lead.key, token=lead.token)
    with jobs.beating(lambda: mine.update(lease_until=jobs.lease_end())):
        try:
            yield
        except DomainError as error:
            failure = {"message": error.message, "code": error.code, "status": error.status, "details": error.details}
            mine.update(failure=failure, lease_until=timezone.statement_timestamp())
            raise
        except BaseException:
            mine.update(lease_until=timezone.statement_timestamp())
            raise
    mine.delete()


def follow(workspace_id: UUID, key: str, *, until: float) -> None:
    """Wait for the leader to land or to die. Raises the leader's failure, or 503 at `until` (monotonic seconds)."""
    flight = Flight.objects.in_workspace(workspace_id).filter(key=key)
    while time.monotonic() < until:
        row = flight.first()
        if row is None:
            return
        if row.failure is not None:
            raise DomainError(**row.failure)
        if row.lease_until < timezone.statement_timestamp():
            return
        time.sleep(POLL_SECONDS)
    raise DomainError(
        "An identical request is still being written. Nothing was charged to this one; try again in a moment.",
        code="provider_unavailable",
        status=503,
        retry_after=5,
    )
