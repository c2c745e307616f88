"""When is a reply a text? Only with an explicit good reason to have stopped, and words in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from generation.llm.errors import ErrorKind, LlmError
from generation.llm.types import Usage

Ending = Literal["complete", "cut", "refused"]


def require_complete(text: str, reason: str | None, endings: Mapping[str, Ending], usage: Usage | None) -> None:
    """Raise unless the reply is whole. `endings` holds the reasons an API is known to give."""
    ending = endings.get(reason or "")
    if ending == "refused":
        raise _failed("refused", "The model declined to write this text.", usage, retryable=False)
    if ending == "cut":
        raise _failed("cut", f"The text was cut off ({reason}).", usage, retryable=False)
    if ending is None:
        raise _failed("malformed", "The model stopped without a known reason.", usage, retryable=True)
    if not text:
        raise _failed("empty", "The model sent an empty text.", usage, retryable=True)


def _failed(kind: ErrorKind, message: str, usage: Usage | None, *, retryable: bool) -> LlmError:
    return LlmError(kind, message, retryable=retryable, usage=usage, may_have_been_charged=usage is None)


def count(value: object) -> int | None:
    """A token count as servers send it; None for anything that is not one."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def part(details: object, name: str) -> int:
    """One count of a details object. Absent objects and fields mean 0."""
    return count(getattr(details, name, None)) or 0
