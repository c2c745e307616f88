"""What of a request decides who serves it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from generation.facts import Brief, Facts, Task
from generation.facts.folding import fold

MAX_CATEGORY = 80


@dataclass(frozen=True, slots=True)
class Asked:
    """`fact_count` is None while only the wishes are known; `seed` then is empty, and is the fingerprint after."""

    task: Task
    tier: str  # auto or a tier
    language: str
    length: str
    has_wishes: bool  # instructions or a voice, in the shop's own words
    fact_count: int | None = None
    category: str = ""
    seed: str = ""


def wishes_of(brief: Brief) -> Asked:
    """Of a brief whose facts are not known, or not looked at."""
    has_wishes = bool(brief.instructions or brief.voice)
    return Asked(brief.task, brief.tier, brief.language, brief.length, has_wishes)


def asked_of(brief: Brief, fingerprint: str) -> Asked:
    return replace(
        wishes_of(brief), fact_count=len(brief.facts.facts), category=category_of(brief.facts), seed=fingerprint
    )


def category_of(facts: Facts) -> str:
    """The narrowest word of the shop's own category, folded; empty without one."""
    return narrowest(next((fact.value for fact in facts.facts if fact.label == "category"), ""))


def narrowest(category: str) -> str:
    return fold(category.replace("/", ">").rsplit(">", 1)[-1]).strip()[:MAX_CATEGORY]
