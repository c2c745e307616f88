"""One thread of a process extends all leases that the process holds, and all of a kind in one statement.

A worker of hundreds of streams would else have as many threads more, and as many statements every few seconds.
"""

from __future__ import annotations

import functools
import os
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.functions import Now

from contentopt.tenancy import across_workspaces

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Lease:
    """A row that is ours while `column` holds the token, and as long as its `lease_until` is not over."""

    model: type[models.Model]
    pk: object
    column: str
    token: UUID


def lease_end() -> Any:
    return Now() + timedelta(seconds=settings.JOB_LEASE_SECONDS)


class _Heart:
    def __init__(self) -> None:
        # Held during a beat: who lets go of a lease must not have it extended afterwards.
        self._lock = threading.Lock()
        self._is_needed = threading.Event()
        self._leases: set[Lease] = set()
        self._thread: threading.Thread | None = None

    @contextmanager
    def beating(self, lease: Lease) -> Iterator[None]:
        with self._lock:
            self._leases.add(lease)
            self._is_needed.set()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="heart", daemon=True)
                self._thread.start()
        try:
            yield
        finally:
            with self._lock:
                self._leases.discard(lease)
                if not self._leases:
                    self._is_needed.clear()

    def _run(self) -> None:
        connections[DEFAULT_DB_ALIAS] = _unpooled()
        while True:
            self._is_needed.wait()
            time.sleep(settings.JOB_LEASE_SECONDS / 3)
            try:
                with across_workspaces():  # leases of many workspaces, each named by its token
                    self._beat()
            except DatabaseError as error:  # leases run out, other workers take over, fencing keeps us harmless
                log.warning("heartbeat_failed", error=type(error).__name__)
            finally:
                connections[DEFAULT_DB_ALIAS].close()

    def _beat(self) -> None:
        with self._lock:
            kinds: defaultdict[tuple[type[models.Model], str], list[Lease]] = defaultdict(list)
            for lease in self._leases:
                kinds[lease.model, lease.column].append(lease)
            for (model, column), leases in kinds.items():
                tokens = {f"{column}__in": [lease.token for lease in leases]}
                rows = model._base_manager.filter(pk__in=[lease.pk for lease in leases], **tokens)
                rows.update(lease_until=lease_end())


def _unpooled() -> BaseDatabaseWrapper:
    """A connection outside of the pool: where hundreds of threads queue for that, leases must not run out meanwhile."""
    own = connections.create_connection(DEFAULT_DB_ALIAS)
    options = {name: value for name, value in own.settings_dict["OPTIONS"].items() if name != "pool"}
    own.settings_dict = {**own.settings_dict, "OPTIONS": options}
    return own


@functools.lru_cache(maxsize=1)
def _heart_of(_pid: int) -> _Heart:
    """Threads do not cross a fork."""
    return _Heart()


def beating(lease: Lease) -> AbstractContextManager[None]:
    """Extend the lease three times a lease, for as long as the block runs."""
    return _heart_of(os.getpid()).beating(lease)
