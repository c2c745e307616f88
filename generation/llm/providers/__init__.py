from __future__ import annotations

from importlib import import_module
from typing import Protocol

from generation.llm.types import Completion, Endpoint, Kind, ModelSpec, Request


class Complete(Protocol):
    def __call__(self, request: Request, spec: ModelSpec, endpoint: Endpoint) -> Completion: ...


def complete(request: Request, spec: ModelSpec, endpoint: Endpoint) -> Completion:
    """One attempt at one text. Raises LlmError; never retries."""
    return adapter(spec.kind)(request, spec, endpoint)


def adapter(kind: Kind) -> Complete:
    """Loaded at first use: a vendor's SDK takes up to a second to import, and most processes never call it."""
    found: Complete = import_module(f"generation.llm.providers.{kind}").complete
    return found
