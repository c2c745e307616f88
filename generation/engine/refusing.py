"""Why no text was written: what models answered instead, what that cost, and when it makes sense to ask again."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from accounts.budgets import SpendingRefused
from accounts.dollars import usd
from contentopt.errors import DomainError
from generation import health
from generation.llm.errors import ErrorKind, LlmError
from generation.llm.types import ModelSpec

RETRY_AFTER_SECONDS = 10
STAFF_CAN_MEND = frozenset({"auth", "not_found"})
REASONS: dict[ErrorKind, str] = {
    "rate_limited": "it takes no more requests for the moment",
    "overloaded": "it is overloaded",
    "timeout": "it did not answer in time",
    "connection": "it could not be reached",
    "server": "it met an error of its own",
    "auth": "it does not let us in, which our staff have been told",
    "not_found": "it is not there, which our staff have been told",
    "bad_request": "it did not accept the request, which our staff have been told",
    "refused": "it declined to write this",
    "cut": "it did not come to an end",
    "empty": "it wrote nothing",
    "malformed": "its answer could not be read",
    "busy": "it has its hands full",
    "circuit_open": "it is not asked for the moment",
}


class ProviderUnavailable(DomainError):
    code = "provider_unavailable"
    status = 503


class TextRefused(DomainError):
    code = "text_refused"
    status = 422
    spent_nanos = 0  # on the texts that were refused


class WishDeclined(TextRefused):
    """The writer said why it does not follow what was wished of the last text."""

    code = "wish_declined"


@dataclass(frozen=True, slots=True)
class Failed:
    """A model that brought no text, though it was to be asked."""

    spec: ModelSpec
    error: LlmError | SpendingRefused
    is_free: bool = True

    @property
    def may_answer_yet(self) -> bool:
        error = self.error
        return isinstance(error, LlmError) and error.retryable and self.is_free and error.kind != "circuit_open"

    @property
    def retry_after(self) -> float:
        asked = self.error.retry_after if isinstance(self.error, LlmError) else None
        return asked or health.wait_of(health.model_key(self.spec))


def refusal_of(errors: Sequence[LlmError | SpendingRefused], spent_nanos: int) -> DomainError:
    """What to tell whoever asked, when no model of the route brought a text."""
    for error in errors:
        if isinstance(error, SpendingRefused):
            return error
    return _unavailable([error for error in errors if isinstance(error, LlmError)], spent_nanos)


def _unavailable(errors: Sequence[LlmError], spent_nanos: int) -> DomainError:
    charged = f"What was sent may cost {usd(spent_nanos)}" if spent_nanos else "Nothing was charged"
    if all(error.kind == "refused" for error in errors):
        return TextRefused(f"The model declined to write about this product. {charged}, and nothing was stored.")
    waits = [error.retry_after for error in errors if error.retryable and error.retry_after]
    may_answer_later = any(error.retryable or error.kind in STAFF_CAN_MEND for error in errors)
    retry_after = math.ceil(min(waits, default=RETRY_AFTER_SECONDS))
    reasons = "; ".join(dict.fromkeys(REASONS[error.kind] for error in errors))
    return ProviderUnavailable(
        f"No model could write this just now: {reasons}. {charged}, and nothing was stored; try again in "
        f"{retry_after} s.",
        retry_after=retry_after,
        details={"retryable": may_answer_later, "charged": bool(spent_nanos)},
    )
