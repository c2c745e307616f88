"""What is learned of a kind of product: whether economy models write it well enough to pass the check."""

from __future__ import annotations

import math
from dataclasses import dataclass

Z = 1.96  # 95 % of both sides
FEWEST = 20
# Of a kind that is known to fail, every so many-th text still goes to economy: models get better.
EXPLORE_EVERY = 20


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Texts of one category, task and language that economy models were asked for."""

    passed: int = 0
    failed: int = 0

    @property
    def total(self) -> int:
        return self.passed + self.failed

    @property
    def most_likely_passing(self) -> float:
        """The upper end of Wilson's interval (Wilson 1927) for the share that passes; 1 without any outcome."""
        n = self.total
        if not n:
            return 1.0
        share = self.passed / n
        middle = share + Z * Z / (2 * n)
        spread = Z * math.sqrt(share * (1 - share) / n + Z * Z / (4 * n * n))
        return (middle + spread) / (1 + Z * Z / n)

    @property
    def fails_mostly(self) -> bool:
        """Surely, and not by bad luck: even the upper end lies below one half, of enough texts."""
        return self.total >= FEWEST and self.most_likely_passing < 0.5


def explores(seed: str) -> bool:
    """Chance by the fingerprint's last digits, so that a request asked again takes the same way."""
    return int(seed[-8:] or "1", 16) % EXPLORE_EVERY == 0
