"""Which facts each sentence of a text stands on."""

from __future__ import annotations

from generation.facts.types import Facts, Sentence


def find_evidence(text: str, facts: Facts) -> list[Sentence]:
    return []
