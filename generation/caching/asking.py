"""One brief, asked in one workspace at one quality: the key it has in every layer, made only when a layer asks."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from generation.facts import CHECK_VERSION, Brief, facts_hash, fingerprint_from_hash
from generation.facts.folding import fold
from generation.families import Family, family_of
from generation.paraphrase import Wording, wording_of

PROMPT_VERSION = 3  # raise it with generation.prompts, and older texts are no longer served
MAX_SUBJECT = 200


def cache_key(fingerprint: str, quality: str) -> str:
    """`quality` is what was asked for: "offline" or a tier. Which model wrote does not matter, so that prices, health
    and rules may send the next brief elsewhere and every text stays known. A text by the offline writer is not served
    once a model is connected."""
    versions = hashlib.sha256(repr((PROMPT_VERSION, CHECK_VERSION, quality)).encode()).hexdigest()
    return f"{fingerprint}-{versions[:12]}"


def may_be_public(brief: Brief) -> bool:
    """Nothing of the workspace's own is asked for, so a text of the public pool would do."""
    return not (brief.voice or brief.keywords or brief.instructions or brief.original)


@dataclass(frozen=True)
class Ask:
    workspace_id: UUID
    brief: Brief
    quality: str  # as in cache_key

    @cached_property
    def facts_hash(self) -> str:
        return facts_hash(self.brief.facts)

    @cached_property
    def fingerprint(self) -> str:
        return fingerprint_from_hash(self.brief, self.facts_hash)

    @cached_property
    def key(self) -> str:
        return cache_key(self.fingerprint, self.quality)

    @cached_property
    def family(self) -> Family | None:
        """None as well for a text to rewrite or translate: what is made of it is nobody else's."""
        return None if self.brief.original else family_of(self.brief.facts, self.brief.language)

    @cached_property
    def template_key(self) -> str:
        """Empty when nothing in the facts differs inside a family."""
        if self.family is None:
            return ""
        return cache_key(fingerprint_from_hash(self.brief, self.family.key), self.quality)

    @cached_property
    def wording(self) -> Wording:
        return wording_of(self.brief)

    @cached_property
    def bucket(self) -> str:
        return cache_key(self.wording.bucket, self.quality)

    @cached_property
    def subject(self) -> str:
        """What variants of one product have in common, for finding entries that were nearly right."""
        facts = self.family.facts if self.family else self.brief.facts
        return fold(facts.title)[:MAX_SUBJECT]

    @property
    def may_be_public(self) -> bool:
        return may_be_public(self.brief)
