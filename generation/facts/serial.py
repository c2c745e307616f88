"""Facts and briefs as rows keep them: JSON out, the same thing back."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from generation.facts.types import Brief, Fact, Facts, Task


def facts_to_json(facts: Facts) -> dict[str, Any]:
    return asdict(facts)


def facts_from_json(kept: dict[str, Any]) -> Facts:
    return Facts(
        title=kept["title"],
        facts=tuple(Fact(**fact) for fact in kept["facts"]),
        source=kept["source"],
        variants=tuple(tuple((label, canonical) for label, canonical in variant) for variant in kept["variants"]),
    )


def brief_settings(brief: Brief) -> dict[str, Any]:
    """The brief without its facts."""
    settings: dict[str, Any] = {
        "tone": brief.tone,
        "language": brief.language,
        "length": brief.length,
        "channel": brief.channel,
        "voice": brief.voice,
        "keywords": list(brief.keywords),
        "instructions": brief.instructions,
        "fields": list(brief.fields),
    }
    if brief.task != Task.DESCRIPTION:
        settings |= {"task": brief.task, "original": brief.original}
    if brief.tier != "auto":
        settings["tier"] = brief.tier
    return settings


def brief_from(settings: dict[str, Any], facts: Facts) -> Brief:
    return Brief(
        facts=facts,
        **{
            **settings,
            "keywords": tuple(settings.get("keywords", ())),
            "fields": tuple(settings["fields"]),
            "task": Task(settings.get("task", Task.DESCRIPTION)),
        },
    )
