"""A vendor's batch: many requests answered within a day, at the model's batch price."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from generation.llm.errors import LlmError
from generation.llm.types import Completion, Endpoint, ModelSpec, Request

HOURS = 24  # after which both vendors give up on what they have not answered
TIER = "batch"  # of the usage of its answers


@dataclass(frozen=True, slots=True)
class Line:
    """One request of a batch. `params` are as the vendor's API takes them; JSON."""

    call_id: str
    params: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Status:
    """`failure`: the vendor took the batch and then refused all of it; nothing was served. `absent`: what it means,
    once it has ended, that a line has no result; None when the vendor promises one for each.
    """

    vendor_id: str
    is_ended: bool
    failure: LlmError | None = None
    absent: LlmError | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """Of one line: a text, or why there is none."""

    call_id: str
    outcome: Completion | LlmError


class BatchApi(Protocol):
    """One vendor's. Every function raises LlmError when the vendor cannot be asked; none retries."""

    def build_line(self, request: Request, spec: ModelSpec) -> Line: ...

    def create(self, batch_id: str, lines: Iterable[Line], endpoint: Endpoint) -> Status:
        """`batch_id` is ours, for `find`."""

    def find(
        self, batch_id: str, lines: int, endpoint: Endpoint, *, since: datetime, others: Collection[str]
    ) -> Status | None:
        """A batch that was created and whose reply was lost. `others` are the vendor's ids of known ones."""

    def poll(self, vendor_id: str, endpoint: Endpoint) -> Status: ...

    def cancel(self, vendor_id: str, endpoint: Endpoint) -> None:
        """What is not begun will not be; the batch ends soon. Also when it has ended already."""

    def results(self, vendor_id: str, endpoint: Endpoint) -> list[Result]:
        """Of a batch that has ended, in any order. Lines may be absent."""


def unserved(reason: str) -> LlmError:
    """The vendor ended the batch without having begun this line, and takes nothing for it."""
    if reason == "expired":
        return LlmError("expired", f"The provider did not get to it within {HOURS} hours.", retryable=True)
    return LlmError("cancelled", "It was cancelled before the provider got to it.", retryable=True)
