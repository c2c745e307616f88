from __future__ import annotations

from typing import Literal

from generation.llm.types import Usage

ErrorKind = Literal[
    "rate_limited",
    "overloaded",
    "timeout",
    "connection",
    "bad_request",
    "auth",
    "not_found",
    "refused",
    "cut",
    "empty",
    "malformed",
    "server",
    "expired",
    "cancelled",
    # Before anything was sent:
    "busy",  # every place at the provider was taken
    "circuit_open",  # the model did not answer lately
]


class LlmError(Exception):
    """No usable text. The message never holds a key or a prompt.

    `retryable`: the same model may answer later. With `usage` the attempt cost exactly that; without it,
    `may_have_been_charged` means the cost is unknown and counts at its ceiling, else it was free.
    """

    def __init__(
        self,
        kind: ErrorKind,
        message: str,
        *,
        retryable: bool,
        retry_after: float | None = None,
        usage: Usage | None = None,
        may_have_been_charged: bool = False,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.retryable = retryable
        self.retry_after = retry_after
        self.usage = usage
        self.may_have_been_charged = may_have_been_charged
