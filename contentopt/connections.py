from __future__ import annotations

import time

from django.db import connection


def let_go() -> None:
    """Give this thread's connection to PostgreSQL back to the process's pool, before something that takes long.

    Threads are many and connections few: one that slept on its connection would keep those out it is waiting for.
    Inside a transaction it stays.
    """
    if not connection.in_atomic_block:
        connection.close()


def sleep(seconds: float) -> None:
    let_go()
    time.sleep(seconds)
