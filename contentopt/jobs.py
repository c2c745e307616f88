"""A row in PostgreSQL is the job. Celery carries ids only, so a lost, late or repeated message costs nothing.

A worker *claims* a row for the length of a lease and extends it while it works; every write of the work names the
lease token, so a worker that lost its lease (a ghost) changes nothing. A row whose lease ran out may be claimed again,
at most `JOB_MAX_ATTEMPTS` times.
"""

from __future__ import annotations

import functools
import os
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from operator import itemgetter
from typing import Any, TypeVar

import structlog
from celery import current_app
from django.conf import settings
from django.db import connection, models, transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from kombu import Connection
from kombu.exceptions import OperationalError
from kombu.pools import producers
from redis.exceptions import RedisError

from contentopt.fuse import Fuse
from contentopt.leases import Lease, beating, lease_end
from contentopt.tenancy import across_workspaces

log = structlog.get_logger()

# After a failed publish the next ones are skipped this long: the sweeper re-sends what was due.
BROKER_SECONDS = 10.0
PUBLISH_TIMEOUT_SECONDS = 0.5

J = TypeVar("J", bound="Job")


class LostLease(Exception):
    """Another worker owns the row now: stop, and change nothing."""


class JobState(models.TextChoices):
    QUEUED = "queued", "Waiting"
    RUNNING = "running", "Running"
    PAUSED = "paused", "Paused"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


UNFINISHED = (JobState.QUEUED, JobState.RUNNING, JobState.PAUSED)


class Job(models.Model):
    state = models.CharField(max_length=10, choices=JobState.choices, default=JobState.QUEUED)
    attempt = models.PositiveSmallIntegerField(default=0)
    lease_token = models.UUIDField(null=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    next_run_at = models.DateTimeField(db_default=Now())
    published_at = models.DateTimeField(null=True, editable=False)
    failure = models.TextField(blank=True, help_text="Why it ended without a result, in plain English.")
    created_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True

    @property
    def is_finished(self) -> bool:
        return self.state not in UNFINISHED


def due() -> Q:
    """Rows a worker may claim now. On the row's own columns only: PostgreSQL re-checks those after waiting for a lock,
    but not a joined table's, so a join here would let two workers claim one row."""
    return Q(state=JobState.QUEUED, next_run_at__lte=Now()) | Q(state=JobState.RUNNING, lease_until__lt=Now())


def claim(model: type[J], pk: object) -> J | None:
    """The row, leased to the caller; None when it is done, not due, or somebody else's.

    Whose it is only the row says, so it is looked for in all workspaces; who got it enters its own.
    """
    token = uuid.uuid4()
    rows = model._base_manager.filter(pk=pk)
    with across_workspaces():
        claimed = rows.filter(due(), attempt__lt=settings.JOB_MAX_ATTEMPTS).update(
            state=JobState.RUNNING, attempt=F("attempt") + 1, lease_token=token, lease_until=lease_end()
        )
        return rows.filter(lease_token=token).first() if claimed else None


def heartbeat(job: Job) -> AbstractContextManager[None]:
    assert job.lease_token is not None  # noqa: S101 (who claimed a job has one)
    return beating(Lease(type(job), job.pk, "lease_token", job.lease_token))


def with_lease(job: J) -> models.QuerySet[J]:
    return type(job)._base_manager.filter(pk=job.pk, lease_token=job.lease_token, state=JobState.RUNNING)


def hold_lease(job: Job) -> None:
    """Inside a transaction: make sure the row is still ours and stays ours until commit, or raise LostLease."""
    if not with_lease(job).select_for_update().exists():
        raise LostLease(str(job.pk))


def finish(job: Job, state: JobState, *, failure: str = "", **columns: Any) -> None:
    """End the job, or raise LostLease when it is no longer ours."""
    changed = with_lease(job).update(state=state, failure=failure, finished_at=Now(), lease_until=None, **columns)
    if not changed:
        raise LostLease(str(job.pk))


def give_back(job: Job, *, seconds: float, failure: str, final: bool = False, counts: bool = True) -> JobState:
    """Try again later, or fail for good once the attempts are used up. Returns the state it is left in.

    `counts` is False for an attempt that failed for no reason of the job's own: it does not use one up.
    """
    if final or (counts and job.attempt >= settings.JOB_MAX_ATTEMPTS):
        finish(job, JobState.FAILED, failure=failure)
        return JobState.FAILED
    with_lease(job).update(
        state=JobState.QUEUED,
        attempt=F("attempt") - int(not counts),
        lease_until=None,
        published_at=None,
        failure=failure,
        next_run_at=Now() + timedelta(seconds=seconds),
    )
    return JobState.QUEUED


def queue_again(rows: models.QuerySet[Any], **columns: Any) -> int:
    """As if they were new, with a fresh set of attempts. Which rows may be is the caller's to say: not those that a
    worker has."""
    return rows.update(
        state=JobState.QUEUED,
        attempt=0,
        failure="",
        next_run_at=Now(),
        published_at=None,
        finished_at=None,
        **columns,
    )


def exhausted(model: type[J]) -> models.QuerySet[J]:
    """Rows whose worker died on the last attempt."""
    return model._base_manager.filter(due(), attempt__gte=settings.JOB_MAX_ATTEMPTS)


def fail_exhausted(model: type[Job], failure: str) -> int:
    """End rows whose worker died on the last attempt; without this they would stay running for ever."""
    ended = {"failure": failure, "finished_at": Now(), "lease_until": None}
    return exhausted(model).update(state=JobState.FAILED, **ended)


_broker_fuse = Fuse(BROKER_SECONDS)


@functools.lru_cache(maxsize=2)
def _broker(pid: int) -> Connection:
    """A connection of this process's own (sockets must not cross a fork), with a short fuse: it is used in requests."""
    timeouts = {"socket_timeout": PUBLISH_TIMEOUT_SECONDS, "socket_connect_timeout": PUBLISH_TIMEOUT_SECONDS}
    # Left to itself, kombu tries to connect for six seconds.
    return current_app.connection_for_write(transport_options={**timeouts, "max_retries": 0})


def publish(task: str, *args: str) -> bool:
    """Wake a worker up, best effort: False when the broker did not take it (the sweeper will send it again)."""
    if not _broker_fuse.lets_through():
        return False
    try:
        with producers[_broker(os.getpid())].acquire(block=True, timeout=PUBLISH_TIMEOUT_SECONDS) as producer:
            current_app.send_task(task, args=args, producer=producer, retry=False, ignore_result=True)
    except (OperationalError, RedisError, OSError) as error:
        _broker_fuse.blow()
        log.warning("publish_failed", task=task, error=type(error).__name__)
        return False
    _broker_fuse.mend()
    return True


def publish_on_commit(task: str, *args: str) -> None:
    transaction.on_commit(functools.partial(publish, task, *args), robust=True)


# Table and column are names of ours; values stay parameters. Materialised, because a plan that ran the inner query once
# for every row would get past its limit: each time it skips what it has locked already.
_NEXT = """
WITH next AS MATERIALIZED (
    SELECT id FROM {table}
     WHERE {parent} = %s
       AND ((state = 'queued' AND next_run_at <= statement_timestamp())
            OR (state = 'running' AND lease_until < statement_timestamp()))
       AND (published_at IS NULL OR published_at < statement_timestamp() - make_interval(secs => %s))
     ORDER BY position LIMIT %s FOR UPDATE SKIP LOCKED)
UPDATE {table} item SET published_at = statement_timestamp() FROM next WHERE item.id = next.id
RETURNING item.id, item.position
"""


def hand_out(items: type[Job], parent: str, parent_id: uuid.UUID, count: int, task: str, *, each: int = 1) -> int:
    """Publish so many tasks with the next items of one parent (`run_id`, `night_id`), in the order of their positions,
    `each` with so many of them; returns how many items went out. Only a few tasks of one parent are out at a time, so
    that a long one starves nobody."""
    if count <= 0:
        return 0
    next_items = _NEXT.format(table=items._meta.db_table, parent=parent)
    with connection.cursor() as cursor:
        cursor.execute(next_items, [parent_id, settings.JOB_RESEND_SECONDS, count * each])
        ids = [row[0] for row in sorted(cursor.fetchall(), key=itemgetter(1))]
    tasks = [ids[first : first + each] for first in range(0, len(ids), each)]
    unsent = [item_id for ids_of_task in tasks if not publish(task, *map(str, ids_of_task)) for item_id in ids_of_task]
    if unsent:
        items._base_manager.filter(pk__in=unsent, state=JobState.QUEUED).update(published_at=None)
    return len(ids) - len(unsent)


def is_out() -> Q:
    """Rows that a worker has, or was lately told of."""
    recently = Now() - timedelta(seconds=settings.JOB_RESEND_SECONDS)
    return Q(state=JobState.RUNNING, lease_until__gte=Now()) | Q(state=JobState.QUEUED, published_at__gte=recently)


def publish_due(model: type[Job], task: str, *, at_once: int = 100) -> None:
    """Tell workers of rows that are due and that none was told of lately: what was lost on the way, or never sent.

    The longest due come first.
    """
    resend = timedelta(seconds=settings.JOB_RESEND_SECONDS)
    waiting = model._base_manager.filter(due()).filter(Q(published_at=None) | Q(published_at__lt=Now() - resend))
    for pk in waiting.order_by("next_run_at").values_list("pk", flat=True)[:at_once]:
        if publish(task, str(pk)):
            model._base_manager.filter(pk=pk).update(published_at=Now())


@dataclass(frozen=True, slots=True)
class Periodic:
    seconds: float
    work: Callable[[], object]


# What the clock process does, filled by `@every(seconds)` in the apps' tasks modules.
CLOCK: list[Periodic] = []


def every(seconds: float) -> Callable[[Callable[[], object]], Callable[[], object]]:
    """Have the clock call a function this often, on one machine at a time."""

    def register(work: Callable[[], object]) -> Callable[[], object]:
        CLOCK.append(Periodic(seconds, work))
        return work

    return register
