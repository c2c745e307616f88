"""What every operation of a method does, and what the OpenAPI document says of it: its errors, its headers, its key."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers

from generation.api import exactness  # noqa: F401 (drf-spectacular finds what was imported)
from generation.api.base import MAX_IDEMPOTENCY_KEY
from generation.api.conditional import tagged, unless_changed
from generation.api.deprecation import Deprecation
from generation.api.repeating import repeatable

EVENT_STREAM = "text/event-stream"

F = TypeVar("F", bound=Callable[..., Any])

IDEMPOTENCY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": MAX_IDEMPOTENCY_KEY},
    "header",
    description="1 to 255 characters, of your choice. For a day the same key with the same request gives the same "
    "reply again, byte for byte, with `Idempotent-Replayed: true`, and nothing is done twice. For another request it "
    "is refused with 422 `idempotency_key_reused`; while the first one is still being done, with 409 "
    "`request_in_progress`. A request that was refused may be sent again under its key.",
)
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match", str, "header", description="The `ETag` of what you have: if it is still so, the reply is 304."
)
IF_MATCH = OpenApiParameter(
    "If-Match",
    str,
    "header",
    description="The `ETag` that a GET of this address gave: if somebody changed it since, nothing is done (412).",
)

ALWAYS = (401, 403, 406, 429)
WITH_BODY = (400, 411, 413, 415, 422)
ERRORS = {
    400: "`malformed_json`, `malformed_body`: the body cannot be read.",
    401: "`unauthenticated`: the API key is missing, unknown, expired or revoked.",
    402: "`budget_exhausted`: a cap on spending leaves no room (`details` says which, how much is spent and when it "
    "starts afresh); `quota_exceeded`: the plan's products of this month are used up. Known texts are still served.",
    403: "`forbidden`: the API key lacks the scope; `tier_not_in_plan`: the `tier` asked for is above the plan's.",
    404: "`not_found`: there is no such thing in this workspace.",
    406: "`not_acceptable`: replies are JSON.",
    409: "`conflict`: not possible in the present state; the message says why. `request_in_progress`: the same request "
    "is being done right now under this Idempotency-Key.",
    411: "`length_required`: the body came chunked, without a Content-Length.",
    412: "`precondition_failed`: it was changed since you read it.",
    413: "`too_large`: the body is over the limit.",
    415: "`unsupported_media_type`: the body is not of the type this operation takes.",
    422: "`invalid` (`details` names fields), `invalid_cursor`, `idempotency_key_reused`, or what the message says.",
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
    _header("Retry-After", "Seconds to wait.", [409, 429, 503]),
    _header("WWW-Authenticate", "`Bearer`", [401]),
]
ETAG = _header("ETag", "Names this state of it: for `If-None-Match` and `If-Match`.", [200, 304])
REPLAYED = _header("Idempotent-Replayed", "`true` where the reply is an earlier one's.", [200, 201, 202])


class Conduct(NamedTuple):
    """What all operations of a method have in common."""

    wrap: Callable[[Callable[..., Any]], Callable[..., Any]]
    parameters: tuple[OpenApiParameter, ...]
    errors: tuple[int, ...] = ()
    replies: Mapping[int, OpenApiResponse] = MappingProxyType({})


CHANGE = Conduct(unless_changed, (IF_MATCH,), errors=(412,))
CONDUCT = {
    "get": Conduct(
        tagged, (IF_NONE_MATCH, ETAG), replies={304: OpenApiResponse(description="It is still what you have.")}
    ),
    "post": Conduct(repeatable, (IDEMPOTENCY, REPLAYED), errors=(409, 422)),
    "put": CHANGE,
    "patch": CHANGE,
    "delete": CHANGE,
}
UNTAGGED = Conduct(lambda handler: handler, ())  # files and streams


def operation(
    name: str,
    *,
    replies: dict[Any, Any],
    body: Any = None,
    query: Any = None,
    errors: Iterable[int] = (),
    deprecation: Deprecation | None = None,
) -> Callable[[F], F]:
    """One operation. `errors` are those beside the ones that every operation, its method, or every body can give."""

    def decorate(handler: F) -> F:
        is_file = all(isinstance(reply, tuple) for reply in replies)
        conduct = UNTAGGED if handler.__name__ == "get" and is_file else CONDUCT[handler.__name__]
        expected = {*ALWAYS, *errors, *conduct.errors, *(WITH_BODY if body else ()), *((422,) if query else ())}
        refusals = {status: OpenApiResponse(ErrorReply, description=ERRORS[status]) for status in sorted(expected)}
        conducted = conduct.wrap(deprecation.told_by(handler) if deprecation else handler)
        return extend_schema(  # type: ignore[return-value]
            operation_id=name,
            summary=name.replace("_", " ").capitalize(),
            request=body,
            responses={**replies, **conduct.replies, **refusals},
            parameters=[*HEADERS, *conduct.parameters, *([query] if query else [])],
            deprecated=deprecation is not None or None,
        )(conducted)

    return decorate
