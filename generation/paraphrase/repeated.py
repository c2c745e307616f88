"""Rules for what is said twice: the second word for it goes."""

from __future__ import annotations

from generation.paraphrase.draft import Draft
from generation.paraphrase.english import english
from generation.paraphrase.phrase import Unit
from generation.paraphrase.phrasing import STANDARDS

LAST_CHILD = 14 * 12  # months
KIDS = Unit("audience", ("kids",))


def with_standard_once(drafts: list[Draft]) -> list[Draft]:
    """ "USB stick, USB 3.0"."""
    for draft in drafts[:1]:
        named = {unit.words[0] for unit in draft.units if unit.kind == "code" and len(unit.words) > 1} & STANDARDS
        draft.units = [unit for unit in draft.units if not (unit.is_word and unit.words[0] in named)]
    return drafts


def without_told(drafts: list[Draft]) -> list[Draft]:
    """What the ages tell already: whoever begins at 3 is a child."""
    product = drafts[0] if drafts else None
    if product is None:
        return drafts
    first = [draft for draft in drafts if draft.link == "from" and draft.owner is None]
    ages = [unit for draft in [product, *first] for unit in draft.units if unit.kind == "quantity month"]
    is_aged = any(" to " in unit.words[0] or unit not in product.units for unit in ages)
    if is_aged and all(_is_child(unit) for unit in ages):
        product.units = [unit for unit in product.units if unit != KIDS]
    return drafts


def _is_child(unit: Unit) -> bool:
    *_, last = unit.words[0].split()
    return last.isdigit() and int(last) <= LAST_CHILD


def without_pattern(drafts: list[Draft]) -> list[Draft]:
    """ "In a herringbone pattern" is "herringbone"."""
    tables = english()
    for draft in drafts:
        for index in range(len(draft.units) - 1, 0, -1):
            is_said = draft.units[index - 1].words[-1] in tables.patterned
            if is_said and draft.units[index].words == ("pattern",):
                del draft.units[index]
    return drafts
