"""How failures are retried: after a pause that no two requests share, and seldom enough not to make an outage worse."""

from __future__ import annotations

import random
import threading


class RetryBudget:
    """A share of the requests may be retries, `most` of them at once: without it an outage multiplies the load."""

    def __init__(self, share: float = 0.2, most: float = 10) -> None:
        self.share, self.most = share, most
        self._left = most
        self._lock = threading.Lock()

    def earn(self) -> None:
        with self._lock:
            self._left = min(self._left + self.share, self.most)

    def spend(self) -> bool:
        """Whether one more retry is to be had."""
        with self._lock:
            if self._left < 1:
                return False
            self._left -= 1
            return True


def full_jitter(seconds: float, retry: int) -> float:
    """Seconds to wait before a retry, the first of which is number 0: anything up to a bound that doubles."""
    return random.uniform(0, seconds * 2**retry)  # noqa: S311
