"""Where two products' facts part, label by label: for people who ask why a text was not the right one."""

from __future__ import annotations

from dataclasses import dataclass

from generation.facts.types import Facts


@dataclass(frozen=True, slots=True)
class Difference:
    """One label whose values differ. An empty side has nothing under that label."""

    label: str  # as people read it
    there: str
    here: str


def facts_differences(there: Facts, here: Facts) -> list[Difference]:
    """In the order of `here`, then what only `there` has. [] when both state the same."""
    values_there, values_here = _canonical(there), _canonical(here)
    labels = dict.fromkeys((*values_here, *values_there))
    found = [
        Difference(_display(label, here, there), _shown(label, there), _shown(label, here))
        for label in labels
        if values_there.get(label) != values_here.get(label)
    ]
    if not found and sorted(there.variants) != sorted(here.variants):
        return [Difference("Options", "combined in another way", "as they are")]
    return found


def _canonical(facts: Facts) -> dict[str, set[str]]:
    values: dict[str, set[str]] = {}
    for fact in facts.facts:
        values.setdefault(fact.label, set()).add(fact.canonical)
    return values


def _shown(label: str, facts: Facts) -> str:
    return ", ".join(dict.fromkeys(fact.value for fact in facts.facts if fact.label == label))


def _display(label: str, *both: Facts) -> str:
    return next(fact.display_label for facts in both for fact in facts.facts if fact.label == label)
