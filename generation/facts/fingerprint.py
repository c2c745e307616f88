"""The versioned hash of a brief's canonical form: equal for the same facts and wishes in any spelling."""

from __future__ import annotations

import hashlib
import json

from generation.facts.folding import fold
from generation.facts.types import Brief, Facts, Task

# Part of every hash: a better extractor must never meet an old entry.
EXTRACTOR_VERSION = 6


def facts_hash(facts: Facts) -> str:
    pairs = sorted({(fact.label, fact.canonical) for fact in facts.facts})
    return _digest(["facts", EXTRACTOR_VERSION, pairs, sorted(facts.variants)])


def fingerprint(brief: Brief) -> str:
    """ "f1-<64 hex>"."""
    return fingerprint_from_hash(brief, facts_hash(brief.facts))


def fingerprint_from_hash(brief: Brief, hash_of_facts: str) -> str:
    """The fingerprint of the brief's wishes about facts of which only the hash is at hand."""
    wishes: list[object] = [
        brief.tone,
        brief.language,
        brief.length,
        brief.channel,
        brief.voice.strip(),
        sorted({fold(keyword) for keyword in brief.keywords}),
        brief.instructions.strip(),
        sorted(set(brief.fields)),
    ]
    if brief.task != Task.DESCRIPTION:
        wishes.append([brief.task, brief.original.strip()])
    return f"f{EXTRACTOR_VERSION}-{_digest([hash_of_facts, *wishes])}"


def _digest(content: list[object]) -> str:
    text = json.dumps(content, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
