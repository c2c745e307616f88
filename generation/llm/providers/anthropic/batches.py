"""Anthropic's Message Batches."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime
from itertools import takewhile

from anthropic.types import Message
from anthropic.types.messages import MessageBatch, MessageBatchErroredResult, MessageBatchIndividualResponse
from anthropic.types.messages import MessageBatchSucceededResult as Succeeded

from generation.llm.batches import TIER, Line, Result, Status, unserved
from generation.llm.errors import LlmError
from generation.llm.providers.anthropic.client import connected
from generation.llm.providers.anthropic.messages import build_params, read_message
from generation.llm.providers.anthropic.usage import normalise_usage
from generation.llm.providers.failures import malformed, unbilled_failure
from generation.llm.providers.http import BATCH_SECONDS, CALL_ID_HEADER, deadline
from generation.llm.types import Completion, Endpoint, ModelSpec, Request

_STATUSES = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "rate_limit_error": 429,
    "timeout_error": 504,
    "overloaded_error": 529,
}


def build_line(request: Request, spec: ModelSpec) -> Line:
    return Line(request.call_id, dict(build_params(request, spec)))


def create(batch_id: str, lines: Iterable[Line], endpoint: Endpoint) -> Status:
    requests = [{"custom_id": line.call_id, "params": line.params} for line in lines]
    with deadline(BATCH_SECONDS), connected(endpoint) as client:
        batch = client.messages.batches.create(
            requests=requests,  # type: ignore[arg-type]
            extra_headers={CALL_ID_HEADER: batch_id},
        )
    return _status(batch)


def find(batch_id: str, lines: int, endpoint: Endpoint, *, since: datetime, others: Collection[str]) -> Status | None:
    """A batch carries no name, so it is told by its age and size; whose it is in truth, its results say."""
    with deadline(BATCH_SECONDS), connected(endpoint) as client:
        newest_first = client.messages.batches.list(limit=100)
        lately = list(takewhile(lambda batch: batch.created_at >= since, newest_first))
    for batch in reversed(lately):
        counts = batch.request_counts
        size = counts.processing + counts.succeeded + counts.errored + counts.canceled + counts.expired
        if batch.id not in others and size == lines:
            return _status(batch)
    return None


def poll(vendor_id: str, endpoint: Endpoint) -> Status:
    with deadline(BATCH_SECONDS), connected(endpoint) as client:
        return _status(client.messages.batches.retrieve(vendor_id))


def cancel(vendor_id: str, endpoint: Endpoint) -> None:
    with deadline(BATCH_SECONDS), connected(endpoint) as client:
        client.messages.batches.cancel(vendor_id)


def results(vendor_id: str, endpoint: Endpoint) -> list[Result]:
    with deadline(BATCH_SECONDS), connected(endpoint) as client:
        return [_result(response) for response in client.messages.batches.results(vendor_id)]


def _status(batch: object) -> Status:
    if not isinstance(batch, MessageBatch) or not batch.id:
        raise malformed("The provider's answer is not a batch.")
    return Status(batch.id, batch.processing_status == "ended")


def _result(response: MessageBatchIndividualResponse) -> Result:
    try:
        return Result(response.custom_id, _completion(response))
    except LlmError as error:
        return Result(response.custom_id, error)


def _completion(response: MessageBatchIndividualResponse) -> Completion:
    result = response.result
    if isinstance(result, MessageBatchErroredResult):
        raise unbilled_failure(_STATUSES.get(result.error.error.type, 500), {"type": result.error.error.type})
    if not isinstance(result, Succeeded):
        raise unserved("expired" if result.type == "expired" else "cancelled")
    if not isinstance(result.message, Message):
        raise malformed("The provider's answer is not a message.")
    usage = normalise_usage(result.message.usage)
    return read_message(result.message, usage and replace(usage, tier=TIER), 0, None)
