from __future__ import annotations

import time
from typing import Any

import structlog
from celery import current_app
from django.core.management.base import BaseCommand
from django.db import InterfaceError, OperationalError, connection

from contentopt.database.wall import refuse_to_start
from contentopt.jobs import CLOCK, Periodic
from contentopt.tenancy import across_workspaces

log = structlog.get_logger()

ADVISORY_LOCK = 0x636C6F636B  # "clock"
TICK_SECONDS = 0.5


class Command(BaseCommand):
    help = "Do recurring work: re-send lost wake-ups, end what died. Any number may run; one at a time leads."

    def handle(self, *_args: Any, **_options: Any) -> None:
        refuse_to_start()
        current_app.loader.import_default_modules()
        due = {id(job): 0.0 for job in CLOCK}
        while True:
            try:
                if self.leads():
                    self.tick(due)
            except (OperationalError, InterfaceError) as error:
                log.warning("clock_waits_for_database", error=str(error))
                connection.close()
            time.sleep(TICK_SECONDS)

    def leads(self) -> bool:
        """The lock belongs to this connection: when either dies, another clock takes over."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
                " AND ((classid::bigint << 32) | objid::bigint) = %s) OR pg_try_advisory_lock(%s)",
                [ADVISORY_LOCK, ADVISORY_LOCK],
            )
            return bool(cursor.fetchone()[0])

    def tick(self, due: dict[int, float]) -> None:
        for job in CLOCK:
            if time.monotonic() >= due[id(job)]:
                due[id(job)] = time.monotonic() + job.seconds
                self.run(job)

    def run(self, job: Periodic) -> None:
        with across_workspaces():  # it looks for what is due, whoever's it is
            job.work()
