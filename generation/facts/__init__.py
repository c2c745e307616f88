"""What is known about a product, in canonical form, and whether a text states only that. Plain Python."""

from __future__ import annotations

from generation.facts.check import CHECK_VERSION, check_text
from generation.facts.evidence import find_evidence
from generation.facts.extraction import extract_facts
from generation.facts.fingerprint import EXTRACTOR_VERSION, facts_hash, fingerprint, fingerprint_from_hash
from generation.facts.product import ProductInput
from generation.facts.types import (
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
)

__all__ = [
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
    "Fact",
    "Facts",
    "FactsError",
    "ProductInput",
    "Sentence",
    "check_text",
    "extract_facts",
    "facts_hash",
    "find_evidence",
    "fingerprint",
    "fingerprint_from_hash",
]
