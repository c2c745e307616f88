"""Variants that share a text: facts with slots where variants differ, a text with slots, and the text filled again.

Why a filled text is true: `masked facts + slot values` give back the asker's own facts, the text is written from the
masked facts alone, and only the asker's own values fill it. Masking too little or too much changes the family's key,
so it costs a call; it cannot put a value into a text that the asker's facts do not hold. Plain Python.
"""

from __future__ import annotations

from generation.families.faults import template_faults
from generation.families.filling import fill
from generation.families.masking import family_of
from generation.families.slots import facts_without_slots, has_slots, slot_kinds, without_slots
from generation.families.types import FAMILY_VERSION, CannotFill, Family

__all__ = [
    "FAMILY_VERSION",
    "CannotFill",
    "Family",
    "facts_without_slots",
    "family_of",
    "fill",
    "has_slots",
    "slot_kinds",
    "template_faults",
    "without_slots",
]
