"""What goes wrong under an SDK, as the few outcomes the rest of the house knows.

Messages name the status and the vendor's own short error code, never the vendor's prose: that may quote the prompt.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2

from generation.llm.errors import ErrorKind, LlmError

# What SDKs let through instead of their own errors; httpx2.StreamError is a RuntimeError.
RAW_ERRORS = (httpx2.HTTPError, httpx2.InvalidURL, RuntimeError, json.JSONDecodeError, UnicodeDecodeError)

MAX_RETRY_AFTER = 60.0

_STATUS_KINDS: dict[int, ErrorKind] = {
    401: "auth",
    402: "auth",
    403: "auth",
    404: "not_found",
    408: "timeout",
    409: "server",
    429: "rate_limited",
    499: "timeout",
    503: "overloaded",
    504: "timeout",
    529: "overloaded",
}
_RETRYABLE_KINDS = frozenset({"timeout", "server", "rate_limited", "overloaded"})
# A gateway gave up waiting: the model behind it may have finished, and been paid, all the same.
_UNKNOWN_COST_STATUSES = frozenset({408, 499, 502, 504})
# Codes that say more than their status. OpenAI answers 429 to an account without credit: waiting does not help.
_CODE_KINDS: dict[str, ErrorKind] = {
    "insufficient_quota": "auth",
    "content_filter": "refused",
    "content_policy_violation": "refused",
}
# What a stream that has begun may end with, where there is no status any more.
_EVENT_KINDS: dict[str, ErrorKind] = {
    "overloaded_error": "overloaded",
    "rate_limit_error": "rate_limited",
    "rate_limit_exceeded": "rate_limited",
    "timeout_error": "timeout",
    "invalid_request_error": "bad_request",
    "authentication_error": "auth",
    "permission_error": "auth",
    "not_found_error": "not_found",
}

_NEVER_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.UnsupportedProtocol)
_UNREADABLE = (json.JSONDecodeError, UnicodeDecodeError, httpx2.DecodingError)


def status_failure(status: int, headers: Mapping[str, str], body: object) -> LlmError:
    """The provider answered with an error status."""
    code = _vendor_code(body)
    kind = _CODE_KINDS.get(code) or _STATUS_KINDS.get(status, "server" if status >= 500 else "bad_request")
    return LlmError(
        kind,
        f"The provider answered {status}" + (f" ({code})." if code else "."),
        retryable=kind in _RETRYABLE_KINDS,
        retry_after=retry_after(headers),
        may_have_been_charged=status in _UNKNOWN_COST_STATUSES,
    )


def unbilled_failure(status: int, body: object) -> LlmError:
    """The error of a line of a batch, which costs nothing whatever it is."""
    error = status_failure(status, {}, body)
    error.may_have_been_charged = False
    return error


def stream_failure(body: object) -> LlmError:
    """The provider broke off what it had begun. What it had written is paid for, and nobody says how much that was."""
    code = _vendor_code(body)
    kind = _CODE_KINDS.get(code) or _EVENT_KINDS.get(code, "server")
    return LlmError(
        kind,
        "The provider broke its answer off" + (f" ({code})." if code else "."),
        retryable=kind in _RETRYABLE_KINDS,
        may_have_been_charged=True,
    )


def transport_failure(error: BaseException) -> LlmError:
    """No answer, or none that can be read. A request that may have arrived may have been served and charged."""
    # An SDK's own error names what it wraps; what it lets through is the thing itself.
    cause = error if isinstance(error, RAW_ERRORS) else error.__cause__ or error
    if isinstance(cause, httpx2.InvalidURL | httpx2.UnsupportedProtocol):
        return LlmError("bad_request", "The provider's address is not a valid URL.", retryable=False)
    if isinstance(cause, _NEVER_SENT):
        return LlmError("connection", "The provider could not be reached.", retryable=True)
    if isinstance(cause, httpx2.TimeoutException):
        return _unknown("timeout", "The provider did not answer in time.")
    if isinstance(cause, _UNREADABLE):
        return _unknown("malformed", "The provider's answer could not be read.")
    return _unknown("connection", "The connection to the provider broke.")


def malformed(message: str) -> LlmError:
    return _unknown("malformed", message)


def _unknown(kind: ErrorKind, message: str) -> LlmError:
    return LlmError(kind, message, retryable=True, may_have_been_charged=True)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds, from either form of the header, at most MAX_RETRY_AFTER; None when absent or unreadable."""
    value = headers.get("retry-after", "").strip()
    try:
        seconds = float(value) if value[:1].isdigit() else parsedate_to_datetime(value).timestamp() - time.time()
    except (ValueError, OverflowError):
        return None
    return min(max(seconds, 0.0), MAX_RETRY_AFTER)


def _vendor_code(body: Any) -> str:
    """`rate_limit_error`, `model_not_found` and the like; "" for anything that is not such a word."""
    error = body.get("error", body) if isinstance(body, Mapping) else None
    if not isinstance(error, Mapping):
        return ""
    code = error.get("code") or error.get("type")
    return code if isinstance(code, str) and re.fullmatch(r"[a-z_]{1,60}", code) else ""
