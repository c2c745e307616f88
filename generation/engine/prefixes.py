"""Which beginning of a prompt a vendor's prompt cache is to hold.

Writing to it costs a quarter more than reading the prompt plainly, and the next request within minutes then costs a
tenth: two requests in that time pay for it, one alone does not. So the first one is sent plainly and leaves a mark in
Valkey; one that finds the mark writes, and all after it read. The wait costs one request's saving, whatever the
traffic; writing at once would charge every text of a quiet day a quarter more.

The platform's own beginning is shared by all workspaces, and theirs are kept apart: see generation.prompts.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import structlog
from django_redis import get_redis_connection
from redis.exceptions import RedisError

from accounts.retiring import key_of
from generation.llm.types import ModelSpec, Request

log = structlog.get_logger()

# How long a vendor keeps a beginning that nobody asks for: Anthropic 5 minutes, OpenAI 30.
KEPT_SECONDS = {"anthropic": 300, "openai": 1_800}
BYTES_PER_TOKEN = 4  # of English, roughly


def with_cache(request: Request, spec: ModelSpec) -> Request:
    """The request, with those of its beginnings to be cached that were sent to this model a moment ago."""
    seconds = KEPT_SECONDS.get(spec.kind)
    if seconds is None or not _is_long_enough(request.beginnings[-1], spec):
        return request
    of_platform, of_workspace = _seen([_mark(each, request, spec) for each in request.beginnings], seconds)
    if of_workspace:
        return replace(request, cached_parts=2)
    return replace(request, cached_parts=1 if of_platform and _is_long_enough(request.system, spec) else 0)


def _is_long_enough(beginning: str, spec: ModelSpec) -> bool:
    least = spec.capabilities.prompt_cache_from
    return 0 < least * BYTES_PER_TOKEN <= len(beginning.encode())


def _mark(beginning: str, request: Request, spec: ModelSpec) -> str:
    """A reply's schema is part of what a vendor's cache goes by."""
    content = json.dumps([spec.provider, spec.model_id, request.reply_schema, beginning], sort_keys=True)
    return f"prefix:{hashlib.sha256(content.encode()).hexdigest()[:32]}"


def _seen(marks: list[str], seconds: int) -> list[bool]:
    """Whether each was left before; leaves them anew. Without Valkey nothing was."""
    try:
        with get_redis_connection("default").pipeline(transaction=False) as step:
            for mark in marks:
                step.set(key_of(mark), 1, ex=seconds, get=True)
            return [before is not None for before in step.execute()]
    except RedisError as error:
        log.debug("prefixes_not_read", error=type(error).__name__)
        return [False] * len(marks)
