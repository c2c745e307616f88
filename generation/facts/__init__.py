"""What is known about a product, in canonical form, and whether a text states only that. Plain Python."""

from __future__ import annotations

from generation.facts.check import CHECK_VERSION, check_text
from generation.facts.comparing import Difference, facts_differences
from generation.facts.evidence import find_evidence
from generation.facts.extraction import extract_facts
from generation.facts.fingerprint import EXTRACTOR_VERSION, facts_hash, fingerprint, fingerprint_from_hash
from generation.facts.product import ProductInput
from generation.facts.serial import brief_from, brief_settings, facts_from_json, facts_to_json
from generation.facts.types import (
    ASKED_TIERS,
    CHANNELS,
    FIELDS,
    LANGUAGES,
    LENGTHS,
    TONES,
    WORD_BUDGETS,
    Brief,
    Complaint,
    Fact,
    Facts,
    FactsError,
    Sentence,
    Task,
    Turn,
)
from generation.facts.wishes import unsupported_in

__all__ = [
    "ASKED_TIERS",
    "CHANNELS",
    "CHECK_VERSION",
    "EXTRACTOR_VERSION",
    "FIELDS",
    "LANGUAGES",
    "LENGTHS",
    "TONES",
    "WORD_BUDGETS",
    "Brief",
    "Complaint",
    "Difference",
    "Fact",
    "Facts",
    "FactsError",
    "ProductInput",
    "Sentence",
    "Task",
    "Turn",
    "brief_from",
    "brief_settings",
    "check_text",
    "extract_facts",
    "facts_differences",
    "facts_from_json",
    "facts_hash",
    "facts_to_json",
    "find_evidence",
    "fingerprint",
    "fingerprint_from_hash",
    "unsupported_in",
]
