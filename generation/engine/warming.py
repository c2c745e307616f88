from __future__ import annotations

from generation.engine.routes import endpoint_for
from generation.facts import LANGUAGES, Brief, check_text, extract_facts
from generation.llm.providers import adapter
from generation.llm.types import Kind

VENDORS: tuple[Kind, ...] = ("anthropic", "openai")


def warm_up() -> None:
    """Do at start what a process would otherwise do in its first texts: load SDKs, compile the check's tables."""
    for kind in VENDORS:
        if endpoint_for(kind).api_key:
            adapter(kind)
    facts = extract_facts({"title": "Mug"})
    for language in LANGUAGES:
        check_text("A mug.", Brief(facts, language=language))
