"""How providers do: which models answer, how many calls a provider takes at a time, how often failures are retried.

All processes share it through Valkey. Without Valkey each goes by what it sees itself.
"""

from __future__ import annotations

from generation.health.breakers import admit, down_models, model_key, report, up_first, wait_of
from generation.health.retries import RetryBudget, full_jitter
from generation.health.slots import place

__all__ = ["RetryBudget", "admit", "down_models", "full_jitter", "model_key", "place", "report", "up_first", "wait_of"]
