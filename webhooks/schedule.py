"""When a delivery is tried again. Plain Python."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_SECOND, _MINUTE, _HOUR = 1.0, 60.0, 3600.0
# After the first attempt, the second, …; the last has none after it.
WAITS = (5 * _SECOND, 5 * _MINUTE, 30 * _MINUTE, 2 * _HOUR, 5 * _HOUR, 10 * _HOUR, 10 * _HOUR)
MOST_ATTEMPTS = len(WAITS) + 1
JITTER = 0.2  # so that what failed together does not come back together
LONGEST_RETRY_AFTER = 10 * _HOUR

# The whole endpoint is left alone for a while, not just this delivery.
THROTTLING = frozenset({429, 502, 504})
THROTTLE_SECONDS, LONGEST_THROTTLE = 30.0, _HOUR


def wait_after(attempt: int, retry_after: float | None) -> float | None:
    """Seconds until the next attempt; None when that was the last one."""
    if attempt >= MOST_ATTEMPTS:
        return None
    usual = WAITS[attempt - 1] * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311
    return max(usual, retry_after or 0)


def throttle_after(status: int | None, retry_after: float | None) -> float | None:
    """Seconds for which nothing is sent to the endpoint; None when it can go on."""
    if status in THROTTLING or (status == 503 and retry_after):
        return min(max(retry_after or 0, THROTTLE_SECONDS), LONGEST_THROTTLE)
    return None


def read_retry_after(header: str | None, now: datetime | None = None) -> float | None:
    """The seconds that a receiver asks us to wait; None when it says nothing that can be read."""
    if not header:
        return None
    if header.strip().isdecimal():
        seconds = float(header.strip()[:9])
    else:
        try:
            moment = parsedate_to_datetime(header)
        except ValueError:
            return None
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        seconds = (aware - (now or datetime.now(UTC))).total_seconds()
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER)
