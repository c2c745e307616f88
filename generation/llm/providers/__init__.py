from __future__ import annotations

from datetime import date
from importlib import import_module
from typing import Protocol, cast

from generation.llm.batches import BatchApi
from generation.llm.types import Completion, Endpoint, Kind, ModelSpec, OnText, Request


class Complete(Protocol):
    def __call__(
        self, request: Request, spec: ModelSpec, endpoint: Endpoint, on_text: OnText | None = None
    ) -> Completion: ...


def complete(request: Request, spec: ModelSpec, endpoint: Endpoint, on_text: OnText | None = None) -> Completion:
    """One attempt at one text. Raises LlmError; never retries.

    With `on_text` the reply is streamed: it is called with each piece as it comes. What it was told is worth something
    only once this returns: a stream that breaks off raises like any other failure.
    """
    return adapter(spec.kind)(request, spec, endpoint, on_text)


def retires_on(kind: Kind, model_id: str) -> date | None:
    """When the vendor takes the model away, as far as its SDK knows; OpenAI's knows nothing of that."""
    if kind != "anthropic":
        return None
    found: date | None = import_module("generation.llm.providers.anthropic").retires_on(model_id)
    return found


def adapter(kind: Kind) -> Complete:
    """Loaded at first use: a vendor's SDK takes up to a second to import, and most processes never call it."""
    found: Complete = import_module(f"generation.llm.providers.{kind}").complete
    return found


BATCHED: frozenset[Kind] = frozenset({"anthropic", "openai"})


def has_batches(spec: ModelSpec) -> bool:
    return spec.kind in BATCHED and spec.capabilities.batch


def batch_api(kind: Kind) -> BatchApi:
    return cast(BatchApi, import_module(f"generation.llm.providers.{kind}.batches"))
