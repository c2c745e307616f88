"""The free layers in their order: exact, template, semantic. Each says what it found, or why it found nothing."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any

from generation.caching import exact, semantic, templates
from generation.caching.asking import Ask
from generation.caching.entries import Entry
from generation.caching.presence import held_behind
from generation.engine.checking import complaints_about
from generation.facts import find_evidence
from generation.families import CannotFill, fill
from generation.llm.replies import compose_missing
from generation.models import CachedTemplate, CachedText


@dataclass(frozen=True, slots=True)
class Found:
    entry: Entry
    source: str  # exact | template | semantic | precomputed


@dataclass(slots=True)
class Trail:
    """What each layer said, in order, for people who ask why; and the family's row, once it was looked for."""

    steps: list[dict[str, str]] = field(default_factory=list)
    template: CachedTemplate | None = None
    has_template: bool = False  # or that there is none is known

    def note(self, layer: str, outcome: str, reason: str) -> None:
        """`outcome` is hit, miss or none (not for this request); of a model chosen, refused, unreachable or shared."""
        self.steps.append({"layer": layer, "outcome": outcome, "reason": reason})


def look_up(ask: Ask, trail: Trail) -> Found | None:
    if entry := exact.look_up_in_front(ask):
        return found_exact(entry, trail)
    held = held_behind(ask)
    trail.has_template = not held.template
    return (
        look_up_exact(ask, trail, is_held=held.text)
        or look_up_template(ask, trail)
        or look_up_semantic(ask, trail, is_held=held.wordings)
    )


def look_up_landed(ask: Ask, trail: Trail) -> Found | None:
    """What a flight brought that landed lately: a text of the same brief, or of its family."""
    held = held_behind(ask)
    trail.has_template = not held.template
    entry = exact.look_up_behind(ask) if held.text else None
    return found_exact(entry, trail) if entry else look_up_template(ask, trail)


def template_of(ask: Ask, trail: Trail) -> CachedTemplate | None:
    """The family's row as it was when last looked for."""
    if not trail.has_template:
        trail.template, trail.has_template = templates.look_up(ask), True
    return trail.template


def look_up_exact(ask: Ask, trail: Trail, *, is_held: bool) -> Found | None:
    entry = exact.look_up_behind(ask) if is_held else None
    if entry is None:
        trail.note("exact", "miss", "These facts were not written before with these wishes.")
        return None
    return found_exact(entry, trail)


def found_exact(entry: Entry, trail: Trail) -> Found:
    is_precomputed = entry.source == "precomputed"
    trail.note(
        "exact", "hit", "Written overnight." if is_precomputed else "The same facts and wishes were written before."
    )
    return Found(entry, entry.source)


def look_up_template(ask: Ask, trail: Trail) -> Found | None:
    if ask.family is None:
        trail.note("template", "none", "Nothing in these facts is of the kind that differs inside a family.")
        return None
    template = template_of(ask, trail)
    if template is None:
        trail.note("template", "miss", "No text of this family was written before with these wishes.")
        return None
    if entry := exact.look_up(ask):  # written with the template, since the exact layer was asked
        return found_exact(entry, trail)
    if template.refusal:
        trail.note("template", "miss", f"This family is written one by one: {template.refusal}")
        return None
    try:
        fields = filled(template.fields, ask)
    except CannotFill as error:
        trail.note("template", "miss", str(error))
        return None
    if complaints := complaints_about(fields, ask.brief):
        trail.note("template", "miss", f"Filled with these facts it would not pass the check: {complaints[0]}")
        return None
    slots = ", ".join(name for name, _ in ask.family.values)
    trail.note("template", "hit", f"The family's text, filled with this product's {slots}.")
    wrote = Entry(
        fields,
        evidence_of(fields, ask),
        template.provider,
        template.model_id,
        template.tier,
        template.cost_nanos,
        CachedText.Origin.TEMPLATE,
        str(template.pk),
    )
    exact.store(ask, wrote)
    return Found(wrote, "template")


def look_up_semantic(ask: Ask, trail: Trail, *, is_held: bool) -> Found | None:
    nearest = ""
    for candidate, differs in semantic.candidates(ask) if is_held else ():
        is_the_same = candidate.key == ask.key  # written since the exact layer was asked
        row = semantic.whole(candidate) if is_the_same or differs is None else None
        if row and is_the_same:
            return found_exact(exact.entry_of(row), trail)
        if row and not complaints_about(row.fields, ask.brief):
            trail.note("semantic", "hit", "The same facts were asked for in other words.")
            known = exact.entry_of(row)
            entry = replace(
                known,
                evidence=evidence_of(known.fields, ask),
                origin=CachedText.Origin.SEMANTIC,
                donor=str(row.pk),
            )
            exact.store(ask, entry)
            return Found(entry, "semantic")
        nearest = nearest or differs or "The text written for it would not pass this brief's check."
    trail.note("semantic", "miss", nearest or "Nothing with these facts was asked for in other words.")
    return None


def filled(template: dict[str, str], ask: Ask) -> dict[str, str]:
    """The template's fields with the asker's own values in its slots, each within its length."""
    assert ask.family is not None  # noqa: S101 (who asks for a family has one)
    fields = fill(template, ask.family, ask.brief.language)
    return compose_missing(fields, ask.brief.fields, ask.brief.facts)


def evidence_of(fields: dict[str, str], ask: Ask) -> list[dict[str, Any]]:
    return [asdict(sentence) for sentence in find_evidence(fields["description"], ask.brief.facts)]
