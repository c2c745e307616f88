"""OpenAI's Batch API: a file of chat completions goes up, files of answers and of errors come back."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from itertools import takewhile
from typing import Any

import openai
from openai.types import Batch
from openai.types.chat import ChatCompletion

from generation.llm.batches import TIER, Line, Result, Status, unserved
from generation.llm.errors import LlmError
from generation.llm.providers.failures import malformed, unbilled_failure
from generation.llm.providers.http import BATCH_SECONDS, CALL_ID_HEADER, deadline
from generation.llm.providers.openai.chat import build_params, read_chat
from generation.llm.providers.openai.client import connected
from generation.llm.providers.openai.usage import normalise_usage
from generation.llm.types import Completion, Endpoint, ModelSpec, Request

OURS = "batch_id"  # the key of the metadata that a batch is found again by
FILE_SECONDS = 7 * 24 * 3600
_ENDED = frozenset({"completed", "expired", "cancelled", "failed"})


def build_line(request: Request, spec: ModelSpec) -> Line:
    params = dict(build_params(request, spec))
    params.pop("service_tier", None)  # a batch is a tier of its own
    return Line(request.call_id, params)


def create(batch_id: str, lines: Iterable[Line], endpoint: Endpoint) -> Status:
    """A file whose batch was never made is free, and goes after a week."""
    content = "\n".join(json.dumps(_written(line)) for line in lines).encode()
    with deadline(BATCH_SECONDS), connected(endpoint) as client:
        file = client.files.create(
            file=(f"{batch_id}.jsonl", content),
            purpose="batch",
            expires_after={"anchor": "created_at", "seconds": FILE_SECONDS},
        )
        batch = client.batches.create(
            input_file_id=file.id,
            endpoint="/v1/chat/completions",
            completion_window="24h",
            metadata={OURS: batch_id},
            output_expires_after={"anchor": "created_at", "seconds": FILE_SECONDS},
            extra_headers={CALL_ID_HEADER: batch_id},
        )
    return _status(batch)


def find(batch_id: str, lines: int, endpoint: Endpoint, *, since: datetime, others: Collection[str]) -> Status | None:
    with deadline(BATCH_SECONDS), connected(endpoint) as client:
        lately = takewhile(lambda batch: batch.created_at >= int(since.timestamp()), client.batches.list(limit=100))
        ours = [batch for batch in lately if (batch.metadata or {}).get(OURS) == batch_id and batch.id not in others]
    return _status(ours[0]) if ours else None


def poll(vendor_id: str, endpoint: Endpoint) -> Status:
    with deadline(BATCH_SECONDS), connected(endpoint) as client:
        return _status(client.batches.retrieve(vendor_id))


def cancel(vendor_id: str, endpoint: Endpoint) -> None:
    with deadline(BATCH_SECONDS), connected(endpoint) as client:
        if client.batches.retrieve(vendor_id).status not in _ENDED:
            client.batches.cancel(vendor_id)


def results(vendor_id: str, endpoint: Endpoint) -> list[Result]:
    with deadline(BATCH_SECONDS), connected(endpoint) as client:
        batch = client.batches.retrieve(vendor_id)
        return [_result(entry) for entry in _entries(client, batch)]


def _written(line: Line) -> dict[str, Any]:
    return {"custom_id": line.call_id, "method": "POST", "url": "/v1/chat/completions", "body": line.params}


def _status(batch: object) -> Status:
    if not isinstance(batch, Batch) or not batch.id:
        raise malformed("The provider's answer is not a batch.")
    failure = absent = None
    if batch.status == "failed":
        known = batch.errors.data if batch.errors and batch.errors.data else []
        failure = unbilled_failure(400, {"code": known[0].code if known else None})
    elif batch.status in ("expired", "cancelled"):
        absent = unserved(batch.status)
    return Status(batch.id, batch.status in _ENDED, failure, absent)


def _entries(client: openai.OpenAI, batch: Batch) -> Iterator[dict[str, Any]]:
    for file_id in (batch.output_file_id, batch.error_file_id):
        if file_id:
            yield from map(json.loads, client.files.content(file_id).text.splitlines())


def _result(entry: dict[str, Any]) -> Result:
    try:
        return Result(str(entry.get("custom_id")), _completion(entry))
    except LlmError as error:
        return Result(str(entry.get("custom_id")), error)


def _completion(entry: dict[str, Any]) -> Completion:
    answer = entry.get("response") or {}
    if error := entry.get("error"):
        code = error.get("code")
        if code in ("batch_expired", "batch_cancelled"):
            raise unserved(str(code).removeprefix("batch_"))
        raise unbilled_failure(answer.get("status_code") or 500, {"code": code})
    if answer.get("status_code") != 200:
        raise unbilled_failure(answer.get("status_code") or 500, answer.get("body"))
    reply = ChatCompletion.construct(**answer.get("body") or {})
    usage = normalise_usage(reply.usage)
    return read_chat(reply, usage and replace(usage, tier=TIER), 0, answer.get("request_id"))
