"""Anthropic's Message Batches and OpenAI's Files and Batches, for tests.provider_server.

`POST /_batches {…}` changes how batches are treated from now on (see Treatment). Whoever is served is in the meter's
`batched`, once for each time.
"""

from __future__ import annotations

import json
import re
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.parser import BytesParser
from typing import Any, Literal

DAY = 24 * 3600
CREATED = 1_800_000_000

# (request, in OpenAI's way?) -> the reply's body and its tokens
Answer = Callable[[dict[str, Any], bool], tuple[dict[str, Any], dict[str, int]]]
Outcome = Literal["succeeded", "errored", "expired", "canceled"]


@dataclass(frozen=True)
class Treatment:
    """The defaults serve everything at once."""

    seconds: float = 0  # from creation to end
    hold: bool = False  # no batch ends
    create_status: int = 200
    delay_ms: int = 0  # before a batch is created
    reply_delay_ms: int = 0  # after that, before it is told of
    results_delay_ms: int = 0
    loses: bool = False  # created, and the connection dropped
    fails: bool = False  # taken, and then refused as a whole (OpenAI)
    expired: int = 0  # so many of a batch, from its end
    errored: int = 0  # so many more
    error_type: str = "invalid_request_error"
    omitted: int = 0  # results that are not told, from the end
    served_before_cancel: int = 0


@dataclass
class Batch:
    id: str
    requests: list[dict[str, Any]]  # {"custom_id", "params"}
    is_openai: bool
    metadata: dict[str, str] = field(default_factory=dict)
    input_file: str = ""
    created_at: float = field(default_factory=time.time)
    cancelled_at: float | None = None
    outcomes: list[tuple[str, Outcome, dict[str, Any]]] | None = None  # once it has ended
    has_failed: bool = False

    def counts(self) -> dict[str, int]:
        names = ("succeeded", "errored", "expired", "canceled")
        told = {name: sum(outcome == name for _, outcome, _ in self.outcomes or ()) for name in names}
        return {"processing": 0 if self.outcomes is not None else len(self.requests), **told}


class Batches:
    def __init__(self, answer: Answer, record: Callable[[dict[str, Any]], None]) -> None:
        self.answer = answer
        self.record = record
        self.lock = threading.RLock()
        self.reset()

    def reset(self) -> None:
        with self.lock:
            self.treatment = Treatment()
            self.batches: dict[str, Batch] = {}
            self.files: dict[str, bytes] = {}

    def treat(self, changes: dict[str, Any]) -> None:
        with self.lock:
            self.treatment = replace(self.treatment, **changes)

    def reading(self) -> list[dict[str, Any]]:
        """Of every batch: its id, size, and whether it was cancelled."""
        with self.lock:
            return [
                {"id": b.id, "size": len(b.requests), "cancelled": b.cancelled_at is not None}
                for b in self.batches.values()
            ]

    # --- What becomes of a batch ---

    def create(self, requests: list[dict[str, Any]], **columns: Any) -> Batch:
        with self.lock:
            batch = Batch(f"batch_{uuid.uuid4().hex[:12]}", requests, **columns)
            batch.has_failed = self.treatment.fails
            self.batches[batch.id] = batch
            return batch

    def settle(self, batch: Batch) -> Batch:
        """End it if its time has come. Serving happens here, once."""
        with self.lock:
            how = self.treatment
            is_over = time.time() >= batch.created_at + how.seconds and not how.hold
            if batch.outcomes is None and (is_over or batch.cancelled_at):
                served = len(batch.requests) - how.expired - how.errored
                if batch.cancelled_at:
                    served = how.served_before_cancel
                outcomes = [self.outcome(batch, number, served) for number in range(len(batch.requests))]
                batch.outcomes = [
                    (request["custom_id"], outcome, self.serve(batch, request) if outcome == "succeeded" else {})
                    for request, outcome in zip(batch.requests, outcomes, strict=True)
                ]
            return batch

    def outcome(self, batch: Batch, number: int, served: int) -> Outcome:
        if number < served:
            return "succeeded"
        if batch.cancelled_at:
            return "canceled"
        return "errored" if number < served + self.treatment.errored else "expired"

    def serve(self, batch: Batch, request: dict[str, Any]) -> dict[str, Any]:
        body, tokens = self.answer(request["params"], batch.is_openai)
        self.record({"call_id": request["custom_id"], "batch": batch.id, "model": request["params"]["model"], **tokens})
        return body

    # --- The two APIs: (method, path, body) -> (status, payload), None for an address of somebody else's ---

    def handle(self, method: str, path: str, body: bytes, content_type: str) -> tuple[int, Any] | None:
        path, _, _query = path.partition("?")
        if path == "/_batches":
            self.treat(json.loads(body))
            return 200, {}
        for pattern, respond in self.routes().items():
            if match := re.fullmatch(pattern, f"{method} {path}"):
                return respond(body, content_type, *match.groups())
        return None

    def routes(self) -> dict[str, Callable[..., tuple[int, Any]]]:
        return {
            r"POST /v1/messages/batches": self.create_anthropic,
            r"GET /v1/messages/batches": lambda *_: (200, self.listed(is_openai=False)),
            r"GET /v1/messages/batches/(\w+)": lambda _b, _c, key: self.told(key),
            r"POST /v1/messages/batches/(\w+)/cancel": lambda _b, _c, key: self.cancel(key),
            r"GET /v1/messages/batches/(\w+)/results": lambda _b, _c, key: self.anthropic_results(key),
            r"POST /v1/files": lambda body, kind: self.upload(body, kind),
            r"GET /v1/files/(\S+)/content": lambda _b, _c, key: (200, self.files[key]),
            r"POST /v1/batches": self.create_openai,
            r"GET /v1/batches": lambda *_: (200, self.listed(is_openai=True)),
            r"GET /v1/batches/(\w+)": lambda _b, _c, key: self.told(key),
            r"POST /v1/batches/(\w+)/cancel": lambda _b, _c, key: self.cancel(key),
        }

    def create_anthropic(self, body: bytes, _type: str) -> tuple[int, Any]:
        return self.created(lambda: self.create(json.loads(body)["requests"], is_openai=False))

    def create_openai(self, body: bytes, _type: str) -> tuple[int, Any]:
        asked = json.loads(body)
        assert asked["endpoint"] == "/v1/chat/completions"
        assert asked["completion_window"] == "24h"
        lines = [json.loads(line) for line in self.files[asked["input_file_id"]].splitlines()]
        assert all(line["url"] == asked["endpoint"] and line["method"] == "POST" for line in lines)
        requests = [{"custom_id": line["custom_id"], "params": line["body"]} for line in lines]
        metadata, file = asked.get("metadata") or {}, asked["input_file_id"]
        return self.created(lambda: self.create(requests, is_openai=True, metadata=metadata, input_file=file))

    def created(self, create: Callable[[], Batch]) -> tuple[int, Any]:
        how = self.treatment
        if how.create_status != 200:
            return how.create_status, {"type": "error", "error": {"type": "scripted_error", "message": "no"}}
        time.sleep(how.delay_ms / 1000)
        batch = create()
        time.sleep(how.reply_delay_ms / 1000)
        return (0, None) if how.loses else (200, self.shape(batch))

    def told(self, key: str) -> tuple[int, Any]:
        with self.lock:
            batch = self.batches.get(key)
        if batch is None:
            return 404, {"type": "error", "error": {"type": "not_found_error", "message": "no"}}
        return 200, self.shape(self.settle(batch))

    def cancel(self, key: str) -> tuple[int, Any]:
        with self.lock:
            batch = self.batches[key]
            if batch.outcomes is None:
                batch.cancelled_at = time.time()
            return 200, self.shape(batch)

    def listed(self, *, is_openai: bool) -> dict[str, Any]:
        with self.lock:
            batches = [batch for batch in self.batches.values() if batch.is_openai == is_openai]
        data = [self.shape(batch) for batch in sorted(batches, key=lambda batch: -batch.created_at)]
        return {"object": "list", "data": data, "has_more": False, "first_id": None, "last_id": None}

    def shape(self, batch: Batch) -> dict[str, Any]:
        return self.openai_batch(batch) if batch.is_openai else anthropic_batch(batch)

    # --- Anthropic ---

    def anthropic_results(self, key: str) -> tuple[int, Any]:
        time.sleep(self.treatment.results_delay_ms / 1000)
        batch = self.settle(self.batches[key])
        lines = []
        for custom_id, outcome, body in self.told_outcomes(batch):
            result: dict[str, Any] = {"type": outcome}
            if outcome == "succeeded":
                usage = {**body["usage"], "service_tier": "batch"}
                result["message"] = {**body, "usage": usage}
            elif outcome == "errored":
                kind = self.treatment.error_type
                result["error"] = {"type": "error", "error": {"type": kind, "message": "quoted: <product_facts>"}}
            lines.append(json.dumps({"custom_id": custom_id, "result": result}))
        return 200, ("\n".join(reversed(lines)) + "\n").encode()  # in no order that a client could count on

    def told_outcomes(self, batch: Batch) -> list[tuple[str, Outcome, dict[str, Any]]]:
        outcomes = batch.outcomes or []
        return outcomes[: len(outcomes) - self.treatment.omitted]

    # --- OpenAI ---

    def upload(self, body: bytes, content_type: str) -> tuple[int, Any]:
        form = BytesParser().parsebytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
        parts = {str(part.get_param("name", header="content-disposition")): part for part in form.walk()}
        assert parts["purpose"].get_payload() == "batch"
        content = parts["file"].get_payload(decode=True)
        assert isinstance(content, bytes)
        return 200, self.keep_file(content, "batch")

    def keep_file(self, content: bytes, purpose: str) -> dict[str, Any]:
        key = f"file-{uuid.uuid4().hex[:12]}"
        self.files[key] = content
        return {
            "id": key,
            "object": "file",
            "bytes": len(content),
            "created_at": CREATED,
            "filename": f"{key}.jsonl",
            "purpose": purpose,
            "status": "processed",
        }

    def openai_batch(self, batch: Batch) -> dict[str, Any]:
        counts = batch.counts()
        body: dict[str, Any] = {
            "id": batch.id,
            "object": "batch",
            "endpoint": "/v1/chat/completions",
            "input_file_id": batch.input_file,
            "completion_window": "24h",
            "status": self.openai_status(batch),
            "created_at": int(batch.created_at),
            "expires_at": int(batch.created_at) + DAY,
            "metadata": batch.metadata,
            "request_counts": {
                "total": len(batch.requests),
                "completed": counts["succeeded"],
                "failed": counts["errored"],
            },
        }
        if batch.has_failed:
            error = {"code": "invalid_json_line", "line": 1, "message": "quoted: <product_facts>", "param": None}
            body["errors"] = {"object": "list", "data": [error]}
        elif batch.outcomes is not None:
            body |= self.openai_files(batch)
        return body

    def openai_status(self, batch: Batch) -> str:
        if batch.has_failed:
            return "failed"
        if batch.outcomes is None:
            return "cancelling" if batch.cancelled_at else "in_progress"
        return "cancelled" if batch.cancelled_at else "expired" if batch.counts()["expired"] else "completed"

    def openai_files(self, batch: Batch) -> dict[str, str]:
        good, bad = [], []
        for custom_id, outcome, body in self.told_outcomes(batch):
            entry: dict[str, Any] = {"id": f"req_{custom_id}", "custom_id": custom_id, "response": None, "error": None}
            if outcome == "succeeded":
                good.append({**entry, "response": {"status_code": 200, "request_id": "req_test", "body": body}})
            elif outcome == "errored":
                error = {"error": {"code": None, "type": self.treatment.error_type, "message": "quoted"}}
                bad.append({**entry, "response": {"status_code": 400, "request_id": "req_test", "body": error}})
            elif outcome == "expired":
                bad.append({**entry, "error": {"code": "batch_expired", "message": "Not within the window."}})
        files = {"output_file_id": good, "error_file_id": bad}
        return {
            name: self.keep_file("\n".join(map(json.dumps, lines)).encode(), "batch_output")["id"]
            for name, lines in files.items()
            if lines
        }


def anthropic_batch(batch: Batch) -> dict[str, Any]:
    created = datetime.fromtimestamp(batch.created_at, UTC)
    is_ended = batch.outcomes is not None
    status = "ended" if is_ended else "canceling" if batch.cancelled_at else "in_progress"
    stopped = batch.cancelled_at and datetime.fromtimestamp(batch.cancelled_at, UTC).isoformat()
    return {
        "id": batch.id,
        "type": "message_batch",
        "processing_status": status,
        "request_counts": batch.counts(),
        "created_at": created.isoformat(),
        "expires_at": (created + timedelta(seconds=DAY)).isoformat(),
        "ended_at": datetime.now(UTC).isoformat() if is_ended else None,
        "cancel_initiated_at": stopped,
        "archived_at": None,
        "results_url": f"/v1/messages/batches/{batch.id}/results" if is_ended else None,
    }


# Half-nano-dollars a token by batch: input, read from a cache, written to it, output.
RATES = {
    "claude-haiku-5-5": (100, 10, 125, 500),
    "gpt-6-luna": (100, 10, 125, 500),
    "claude-sonnet-5-5": (2_000, 100, 2_500, 10_000),
    "gpt-6.1-sol": (2_000, 100, 2_500, 10_000),
}
COUNTS = ("input_uncached", "input_cached", "cache_write_short", "output")


def cost_of(served: list[dict[str, Any]]) -> int:
    """In nano-dollars, each component of each text rounded up."""
    return sum(
        -(-each[name] * rate // 2) for each in served for name, rate in zip(COUNTS, RATES[each["model"]], strict=True)
    )
