"""Rules as staff write them: conditions, and where what meets them goes."""

from __future__ import annotations

from dataclasses import dataclass

from generation.llm.types import Tier
from generation.routing.asked import Asked


@dataclass(frozen=True, slots=True)
class Rule:
    """All conditions must hold; an empty one always does. `model_id` is asked first among its tier's models."""

    name: str
    tier: Tier
    model_id: str = ""
    tasks: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    lengths: tuple[str, ...] = ()
    fewest_facts: int | None = None
    most_facts: int | None = None
    has_wishes: bool | None = None

    def matches(self, asked: Asked) -> bool | None:
        """None: that depends on facts which are not known."""
        if not self._suits_wishes(asked):
            return False
        if self.fewest_facts is None and self.most_facts is None:
            return True
        if asked.fact_count is None:
            return None
        fewest, most = self.fewest_facts or 0, self.most_facts
        return fewest <= asked.fact_count and (most is None or asked.fact_count <= most)

    def _suits_wishes(self, asked: Asked) -> bool:
        return (
            (not self.tasks or asked.task in self.tasks)
            and (not self.languages or asked.language in self.languages)
            and (not self.lengths or asked.length in self.lengths)
            and (self.has_wishes is None or asked.has_wishes == self.has_wishes)
        )
