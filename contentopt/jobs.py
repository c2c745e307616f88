"""A row in PostgreSQL is the job. Celery carries ids only, so a lost, late or repeated message costs nothing.

A worker *claims* a row for the length of a lease and extends it while it works; every write of the work names the
lease token, so a worker that lost its lease (a ghost) changes nothing. A row whose lease ran out may be claimed again,
at most `JOB_MAX_ATTEMPTS` times.
"""

from __future__ import annotations

import functools
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import structlog
from celery import current_app
from django.conf import settings
from django.db import DatabaseError, connection, models, transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from kombu import Connection
from kombu.exceptions import OperationalError
from kombu.pools import producers
from redis.exceptions import RedisError

log = structlog.get_logger()

# After a failed publish the next ones are skipped this long: the sweeper re-sends what was due.
BREAKER_SECONDS = 10.0
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


def lease_end() -> Any:
    return Now() + timedelta(seconds=settings.JOB_LEASE_SECONDS)


def claim(model: type[J], pk: object) -> J | None:
    """The row, leased to the caller; None when it is done, not due, or somebody else's."""
    token = uuid.uuid4()
    rows = model._base_manager.filter(pk=pk)
    claimed = rows.filter(due(), attempt__lt=settings.JOB_MAX_ATTEMPTS).update(
        state=JobState.RUNNING, attempt=F("attempt") + 1, lease_token=token, lease_until=lease_end()
    )
    return rows.filter(lease_token=token).first() if claimed else None


@contextmanager
def beating(extend_lease: Callable[[], object]) -> Iterator[None]:
    """Extend a lease from a side thread, three times a lease, for as long as the block runs."""
    stop = threading.Event()

    def beat() -> None:
        while not stop.wait(settings.JOB_LEASE_SECONDS / 3):
            try:
                extend_lease()
            except DatabaseError as error:  # the lease runs out, another worker takes over, fencing keeps us harmless
                log.warning("heartbeat_failed", error=type(error).__name__)
            finally:
                connection.close()

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def heartbeat(job: Job) -> AbstractContextManager[None]:
    return beating(lambda: with_lease(job).update(lease_until=lease_end()))


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


def give_back(job: Job, *, seconds: float, failure: str, final: bool = False) -> JobState:
    """Try again later, or fail for good once the attempts are used up. Returns the state it is left in."""
    if final or job.attempt >= settings.JOB_MAX_ATTEMPTS:
        finish(job, JobState.FAILED, failure=failure)
        return JobState.FAILED
    with_lease(job).update(
        state=JobState.QUEUED,
        lease_until=None,
        published_at=None,
        failure=failure,
        next_run_at=Now() + timedelta(seconds=seconds),
    )
    return JobState.QUEUED


def fail_exhausted(model: type[Job], failure: str) -> int:
    """End rows whose worker died on the last attempt; without this they would stay running for ever."""
    return model._base_manager.filter(due(), attempt__gte=settings.JOB_MAX_ATTEMPTS).update(
        state=JobState.FAILED, failure=failure, finished_at=Now(), lease_until=None
    )


class _Breaker:
    """Skips publishing for a while after a failure, so that a hung broker does not slow every request down."""

    def __init__(self) -> None:
        self.open_until = 0.0

    def is_open(self) -> bool:
        return time.monotonic() < self.open_until

    def trip(self) -> None:
        self.open_until = time.monotonic() + BREAKER_SECONDS


_breaker = _Breaker()


@functools.lru_cache(maxsize=2)
def _broker(pid: int) -> Connection:
    """A connection of this process's own (sockets must not cross a fork), with a short fuse: it is used in requests."""
    timeouts = {"socket_timeout": PUBLISH_TIMEOUT_SECONDS, "socket_connect_timeout": PUBLISH_TIMEOUT_SECONDS}
    # Left to itself, kombu tries to connect for six seconds.
    return current_app.connection_for_write(transport_options={**timeouts, "max_retries": 0})


def publish(task: str, *args: str) -> bool:
    """Wake a worker up, best effort: False when the broker did not take it (the sweeper will send it again)."""
    if _breaker.is_open():
        return False
    try:
        with producers[_broker(os.getpid())].acquire(block=True, timeout=PUBLISH_TIMEOUT_SECONDS) as producer:
            current_app.send_task(task, args=args, producer=producer, retry=False, ignore_result=True)
    except (OperationalError, RedisError, OSError) as error:
        _breaker.trip()
        log.warning("publish_failed", task=task, error=type(error).__name__)
        return False
    return True


def publish_on_commit(task: str, *args: str) -> None:
    transaction.on_commit(functools.partial(publish, task, *args), robust=True)


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
