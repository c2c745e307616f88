from __future__ import annotations

from django.conf import settings

from generation.caching.embedding import embed
from generation.facts import LANGUAGES, Brief, check_text, extract_facts
from generation.families import family_of
from generation.llm.providers import adapter
from generation.llm.types import Kind
from generation.paraphrase import warm_vocabularies

VENDORS: tuple[Kind, ...] = ("anthropic", "openai")


def warm_up() -> None:
    """Do at start what a process would otherwise do in its first texts: load SDKs and vectors, compile tables."""
    keys = {"anthropic": settings.ANTHROPIC_API_KEY, "openai": settings.OPENAI_API_KEY}
    for kind in VENDORS:
        if keys[kind]:
            adapter(kind)
    embed("mug")
    facts = extract_facts({"title": "Mug", "attributes": {"Color": "red"}})
    for language in LANGUAGES:
        check_text("A mug.", Brief(facts, language=language))
        family_of(facts, language)
    warm_vocabularies()
