"""What a layer gives: a text that passed the check, with who wrote it and what that cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Entry:
    fields: dict[str, str]
    evidence: list[dict[str, Any]]
    provider: str
    model_id: str
    tier: str = ""
    cost_nanos: int = 0  # what writing it cost
    origin: str = "model"  # CachedText.Origin
    donor: str = ""  # id of the template or text it came from

    @property
    def source(self) -> str:
        """Of an answer that the exact layer gives, as in Text.Source."""
        return "precomputed" if self.origin == "precomputed" else "exact"
