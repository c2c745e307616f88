"""The short way: a text that is known, in one round trip to Valkey and without PostgreSQL.

It stands early among the middleware, before sessions and DRF, and takes only what it can answer whole; everything else
goes on its ordinary way. What it has counted of a limit by then is left on the request, so that nothing counts twice,
and so are the key, which was compared with its stamp a moment ago, and the brief.
The key's account is compared with its stamp, the limits taken, the text looked up and the line for the ledger written
in one step of Valkey (generation/lua/answer.lua): a request that is told to be stale was not counted.

A Valkey that does the step and whose reply is lost makes the one exception: then the ordinary way counts again.

What a body asks for is remembered for the workspace that sent it, never across workspaces: how long a reply takes must
not tell that somebody else sent the same.
"""

from __future__ import annotations

import functools
import io
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from redis.exceptions import RedisError
from rest_framework.exceptions import APIException
from rest_framework.renderers import JSONRenderer

from accounts import metering
from accounts.authentication import admit
from accounts.models import Scope, Workspace
from accounts.snapshots import Account, find_account, forget_account
from accounts.stamps import Stamp
from accounts.throttling import read_allowance
from contentopt.errors import DomainError
from generation.api.base import payer_of, state_limits
from generation.api.briefs import brief_from_body, read_body
from generation.api.descriptions import Descriptions
from generation.api.strict import StrictJSONParser
from generation.api.texts import description_reply, text_reply
from generation.caching import front
from generation.caching.asking import Ask
from generation.caching.codec import head_of, unpack
from generation.engine.answered import answered_text, pack_asked
from generation.engine.routes import forget_offer, remembered_offer
from generation.engine.storing import asked_columns
from generation.facts import Brief
from generation.routing import quality_of

# Bodies that are remembered, of so many bytes at most: a few tens of megabytes a process with what they ask for.
REMEMBERED, MOST_BYTES = 2_048, 8 * 1024
JSON = ("application/json", "application/json; charset=utf-8", "application/json;charset=utf-8")
ACCEPTED = ("", "*/*", "application/json", "application/json, text/plain, */*", "application/json, */*")

GetResponse = Callable[[HttpRequest], HttpResponse]


class KnownTexts:
    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if may_be_known(request):
            try:
                if response := answer_known(request):
                    return response
            except RedisError:
                pass  # the ordinary way does without
        return self.get_response(request)


@functools.cache
def path_of_descriptions() -> str:
    return reverse("api_descriptions")


def may_be_known(request: HttpRequest) -> bool:
    """An ordinary request for a description, of whose reply nothing has to be stored before it is given."""
    meta = request.META
    length = meta.get("CONTENT_LENGTH") or ""
    return (
        request.method == "POST"
        and request.path == path_of_descriptions()
        and not meta.get("QUERY_STRING")
        and "HTTP_IDEMPOTENCY_KEY" not in meta
        and meta.get("HTTP_ACCEPT", "") in ACCEPTED
        and meta.get("CONTENT_TYPE", "").lower() in JSON
        and length.isdecimal()
        and 0 < int(length) <= MOST_BYTES
    )


def answer_known(request: HttpRequest) -> HttpResponse | None:
    """Raises RedisError."""
    scheme, _, presented = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    account = find_account(presented.strip()) if scheme.lower() == "bearer" else None
    if account is None or Scope.WRITE not in account.value.key.scopes:
        return None
    offer = remembered_offer()
    if offer is None or not offer.value.specs:
        return None
    asked = read_asked(account.value.key.workspace, request.body, is_offline=offer.value.is_offline)
    return None if asked is None else _answer(request, account.value, asked, account.stamps + offer.stamps)


@dataclass(frozen=True, slots=True)
class Asked:
    brief: Brief
    key: str
    may_be_public: bool
    columns: dict[str, Any]
    packed: bytes


def read_asked(workspace: Workspace, body: bytes, *, is_offline: bool) -> Asked | None:
    """None for a body that is to be refused; the ordinary way says why."""
    try:
        return _read_asked(workspace.pk, workspace.plan.highest_tier, is_offline, body)
    except (APIException, DomainError):
        return None


@functools.lru_cache(maxsize=REMEMBERED)
def _read_asked(workspace_id: UUID, highest: str, is_offline: bool, body: bytes) -> Asked:
    data = StrictJSONParser().parse(io.BytesIO(body))
    brief = brief_from_body(read_body(data), highest=highest)
    ask = Ask(workspace_id, brief, quality_of(brief.tier, is_offline=is_offline))
    columns = asked_columns(ask.brief, ask.fingerprint, ask.key)
    return Asked(brief, ask.key, ask.may_be_public, columns, pack_asked(columns))


def _answer(request: HttpRequest, account: Account, asked: Asked, stamps: tuple[Stamp, ...]) -> HttpResponse | None:
    text_id = uuid.uuid4()
    columns = metering.asked_columns(payer_of(account.key), text_id)
    line = metering.as_line(columns)
    answer = front.answer(
        stamps,
        account.key.workspace_id,
        asked.key,
        may_be_public=asked.may_be_public,
        window_keys=account.window_keys,
        window_question=account.window_question,
        stream=metering.stream_key(),
        line=line,
        asked=asked.packed,
    )
    if answer.outcome == "stale":
        forget_account(account)
        forget_offer()
        return None
    allowance = read_allowance(answer.taken, account.subjects)
    request.allowance = allowance  # type: ignore[attr-defined]
    admit(request, account.key)
    request.brief_read = asked.brief  # type: ignore[attr-defined]
    if answer.outcome != "found":
        return None
    said = _said(account.key.workspace_id, asked.key, answer.value)
    if said is None:
        return None
    if not answer.is_noted:
        known = {b"answer": head_of(answer.value), b"asked": asked.packed, b"entry": answer.value}
        metering.enter_now({b"line": line.encode(), **known})
    again = {**said, "id": text_id, "created_at": columns["occurred_at"]}
    content = orjson.dumps(description_reply(again, allowance), option=orjson.OPT_UTC_Z)
    response = HttpResponse(content, content_type=JSONRenderer.media_type, headers=_view_headers())
    patch_vary_headers(response, ["Cookie"])  # as the session's middleware says of the ordinary reply
    state_limits(response, allowance)
    return response


@functools.lru_cache(maxsize=REMEMBERED)
def _said(workspace_id: UUID, _key: str, value: bytes) -> dict[str, Any] | None:
    """The reply with an entry, but for what differs each time. None for what was written by another version.

    Workspace and key are there for the memory alone: see above.
    """
    entry = unpack(value)
    if entry is None:
        return None
    return text_reply(answered_text(UUID(int=0), workspace_id, {}, entry, timezone.now()))


@functools.cache
def _view_headers() -> dict[str, str]:
    headers: dict[str, str] = Descriptions().default_response_headers
    return headers
