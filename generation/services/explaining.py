"""Where a text came from, and why not from an earlier one: for people who ask. Nothing here runs while one is written,
and no row of another workspace is looked at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q

from generation.caching.asking import Ask
from generation.engine.routes import Router
from generation.engine.storing import product_facts
from generation.facts import Brief, Difference, brief_from, brief_settings, facts_differences, facts_from_json
from generation.families import Family
from generation.families.slots import SLOT, slot
from generation.models import CachedTemplate, CachedText, Text

MOST_COMPARED = 20
MOST_SHOWN = 3
MOST_CHARS = 80  # of a value; a voice can be long


@dataclass(frozen=True, slots=True)
class Nearest:
    """A known text that was not served, and what stood against it. Without differences it was made by the offline
    writer or under older rules."""

    title: str
    written_at: datetime
    differences: list[Difference]


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a template; `slot` is empty where it stands as written."""

    text: str
    slot: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """`steps` is what each layer said, in order: layer, outcome (hit, miss, none), reason. `template` is the family's
    text, filled, where the text came from one."""

    source: str
    steps: list[dict[str, str]]
    saved_nanos: int
    nearest: list[Nearest]
    template: list[Piece]

    @property
    def slots(self) -> dict[str, str]:
        return {piece.slot: piece.text for piece in self.template if piece.slot}


def explain(text: Text) -> Explanation:
    entry = CachedText.objects.in_workspace(text.workspace_id).filter(key=text.cache_key).first()
    brief = _brief(text, entry)
    ask = Router(text.workspace_id).ask(brief) if brief else None
    is_free = any(step["outcome"] == "hit" for step in text.explanation)
    return Explanation(
        source=text.source,
        steps=text.explanation,
        saved_nanos=entry.cost_nanos if entry and is_free else 0,
        nearest=_nearest(text, ask) if ask and _was_asked_for_anew(text) else [],
        template=_template(text, ask, entry) if ask and entry else [],
    )


def _brief(text: Text, entry: CachedText | None) -> Brief | None:
    """What was asked for; None where its facts are not kept any more."""
    if text.product:
        return brief_from(text.brief, product_facts(text.product))
    return brief_from(text.brief, facts_from_json(entry.facts)) if entry and entry.facts else None


def _was_asked_for_anew(text: Text) -> bool:
    return any(step["layer"] == "exact" and step["outcome"] == "miss" for step in text.explanation)


def _nearest(text: Text, ask: Ask) -> list[Nearest]:
    """Of the texts about the same thing that were known by then, those with the fewest differences."""
    alike = Q(bucket=ask.bucket) | (Q(subject=ask.subject) if ask.subject else Q())
    earlier = CachedText.objects.in_workspace(text.workspace_id).filter(alike, created_at__lt=text.created_at)
    rows = earlier.exclude(key=text.cache_key).exclude(facts={}).order_by("-created_at")[:MOST_COMPARED]
    found = [Nearest(row.facts["title"], row.created_at, _differences(row, ask.brief)) for row in rows]
    return sorted(found, key=lambda nearest: len(nearest.differences))[:MOST_SHOWN]


def _differences(row: CachedText, brief: Brief) -> list[Difference]:
    """Facts first, then wishes."""
    facts = facts_differences(facts_from_json(row.facts), brief.facts)
    wishes = brief_settings(brief)
    differing = (name for name, value in wishes.items() if row.brief.get(name, value) != value)
    found = [
        *facts,
        *(Difference(name.capitalize(), _shown(row.brief[name]), _shown(wishes[name])) for name in differing),
    ]
    return [Difference(each.label, _cut(each.there), _cut(each.here)) for each in found]


def _shown(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value)


def _cut(value: str) -> str:
    return value if len(value) <= MOST_CHARS else f"{value[:MOST_CHARS]}…"


def _template(text: Text, ask: Ask, entry: CachedText) -> list[Piece]:
    """Also of a text that is known by now and once came from one, and of the first, for which it was written."""
    is_this_text = entry.fields["description"] == text.description
    if entry.donor is None or ask.family is None or not is_this_text:
        return []
    template = CachedTemplate.objects.in_workspace(text.workspace_id).filter(pk=entry.donor).first()
    if template is None:
        return []
    return list(_pieces(template.fields["description"], ask.family))


def _pieces(template: str, family: Family) -> Iterator[Piece]:
    values = dict(family.values)
    for position, part in enumerate(SLOT.split(template)):  # text, slot, text, …
        if position % 2:
            yield Piece(values.get(part, slot(part)), part)
        elif part:
            yield Piece(part)
