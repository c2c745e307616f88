"""One call to a provider, as tests make it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from generation.facts import Brief, extract_facts
from generation.llm.prices import PRICES
from generation.llm.providers import complete
from generation.llm.types import Completion, Endpoint, ModelSpec, Request
from tests.servers import Provider

BRIEF = Brief(extract_facts({"title": "Linen Apron", "attributes": {"Colour": "sand", "Length": "80 cm"}}))
PROMPT = """<product_facts>
{"title": "Linen Apron", "facts": [{"label": "Colour", "value": "sand"}, {"label": "Length", "value": "80 cm"}]}
</product_facts>"""
TEXT = "The Linen Apron. Colour: sand. Length: 80 cm."
SPECS = {spec.model_id: spec for spec in PRICES}


def make_request(**changes: Any) -> Request:
    defaults: dict[str, Any] = {
        "system": "You write product descriptions.",
        "context": "Language: English.",
        "prompt": PROMPT,
        "max_tokens": 500,
        "deadline_seconds": 10,
        "call_id": "call-1",
        "brief": BRIEF,
    }
    return Request(**{**defaults, **changes})


@dataclass(frozen=True)
class Api:
    """One of the two APIs: the same questions are put to both."""

    spec: ModelSpec
    good_stop: str
    cut_stop: str
    is_streamed: bool = False

    def endpoint(self, server: Provider) -> Endpoint:
        return server.anthropic if self.spec.kind == "anthropic" else server.openai

    def complete(self, server: Provider, **changes: Any) -> Completion:
        return self.ask(self.endpoint(server), **changes)

    def ask(self, endpoint: Endpoint, **changes: Any) -> Completion:
        pieces: list[str] = []
        completion = complete(make_request(**changes), self.spec, endpoint, pieces.append if self.is_streamed else None)
        assert "".join(pieces) == (completion.text if self.is_streamed else "")
        return completion


ANTHROPIC = Api(SPECS["claude-haiku-5-5"], "end_turn", "max_tokens")
OPENAI = Api(SPECS["gpt-6-luna"], "stop", "length")
STREAMED = [replace(api, is_streamed=True) for api in (ANTHROPIC, OPENAI)]
