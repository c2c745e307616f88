"""What the OpenAPI document says of every operation: its errors, its headers, its key."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers

EVENT_STREAM = "text/event-stream"

F = TypeVar("F", bound=Callable[..., Any])

IDEMPOTENCY = OpenApiParameter(
    "Idempotency-Key",
    str,
    "header",
    description="1 to 255 characters. The same key with the same body gives the same result again, without a second "
    "call; with another body it is refused with 422 `idempotency_key_reused`.",
)

ALWAYS = (401, 403, 406, 429)
WITH_BODY = (400, 411, 413, 415, 422)
ERRORS = {
    400: "`malformed_json`, `malformed_body`: the body cannot be read.",
    401: "`unauthenticated`: the API key is missing, unknown or revoked.",
    402: "`budget_exhausted`: a cap on spending leaves no room (`details` says which, how much is spent and when it "
    "starts afresh); `quota_exceeded`: the plan's products of this month are used up. Known texts are still served.",
    403: "`forbidden`: the API key lacks the scope; `tier_not_in_plan`: the `tier` asked for is above the plan's.",
    404: "`not_found`: there is no such thing in this workspace.",
    406: "`not_acceptable`: replies are JSON.",
    409: "`conflict`: not possible in the present state; the message says why.",
    411: "`length_required`: the body came chunked, without a Content-Length.",
    413: "`too_large`: the body is over the limit.",
    415: "`unsupported_media_type`: the body is not of the type this operation takes.",
    422: "`invalid` (`details` names the fields), `idempotency_key_reused`, or what the message says.",
    429: "`rate_limited`: a limit for a minute or a day is used up. `details` says which (`limit`: `burst`, `day`, "
    "`reads`), whose (`scope`), when it makes room (`retry_after`, `resets_at`) and which plan has more (`lifted_by`). "
    "`budget_in_flight`: other requests hold the rest of a budget for a moment.",
    503: "`provider_unavailable`: no model answered; nothing was stored.",
}


class ErrorBody(serializers.Serializer[Any]):
    code = serializers.CharField(help_text="Stable, for programs.")
    message = serializers.CharField(help_text="Plain English, for people.")
    details = serializers.DictField(help_text="For `invalid`: the reasons by field.")


class ErrorReply(serializers.Serializer[Any]):
    """The one shape of every refusal."""

    error = ErrorBody()


def _header(name: str, description: str, statuses: list[int | str] | bool) -> OpenApiParameter:
    return OpenApiParameter(name, str, "header", description=description, response=statuses)


HEADERS = [
    _header(
        "RateLimit-Policy",
        'The limits in force, such as `"burst";q=30;w=60, "day";q=500;w=86400`: so many requests (`q`) in any so many '
        "seconds (`w`). A key's own are `key-burst` and `key-day`. Reads count against `reads` alone.",
        True,
    ),
    _header(
        "RateLimit",
        'What is left of each (`r`), and in how many seconds (`t`) one more comes back, such as `"burst";r=29;t=60, '
        '"day";r=499;t=86700`.',
        True,
    ),
    _header("Retry-After", "Seconds to wait.", [429, 503]),
    _header("WWW-Authenticate", "`Bearer`", [401]),
]


def operation(
    name: str,
    *,
    replies: dict[Any, Any],
    body: Any = None,
    query: Any = None,
    errors: Iterable[int] = (),
    headers: Iterable[OpenApiParameter] = (),
    idempotent: bool = False,
) -> Callable[[F], F]:
    """Document one operation. `errors` are those beside the ones that every operation, or every body, can give."""
    expected = {*ALWAYS, *errors, *(WITH_BODY if body else ()), *((422,) if query else ())}
    refusals = {status: OpenApiResponse(ErrorReply, description=ERRORS[status]) for status in sorted(expected)}
    parameters = [*HEADERS, *headers, *([IDEMPOTENCY] if idempotent else []), *([query] if query else [])]
    return extend_schema(
        operation_id=name,
        summary=name.replace("_", " ").capitalize(),
        request=body,
        responses={**replies, **refusals},
        parameters=parameters,
    )
