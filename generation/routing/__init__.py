"""Which models serve a request, in which order, and why. Plain Python: whatever decides is handed in."""

from __future__ import annotations

from generation.routing.asked import Asked, asked_of, category_of, narrowest, wishes_of
from generation.routing.choosing import Route, Stage, choose, possible
from generation.routing.outcomes import Outcomes
from generation.routing.rules import Rule
from generation.routing.tiers import TIERS, at_most, is_above, quality_of

__all__ = [
    "TIERS",
    "Asked",
    "Outcomes",
    "Route",
    "Rule",
    "Stage",
    "asked_of",
    "at_most",
    "category_of",
    "choose",
    "is_above",
    "narrowest",
    "possible",
    "quality_of",
    "wishes_of",
]
