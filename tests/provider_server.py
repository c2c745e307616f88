"""A model provider on loopback for tests and benchmarks: Anthropic's Messages and OpenAI's Chat API, streamed or not.

`python -m tests.provider_server --port 0` prints its port. `POST /_control {"behaviours": [{…}, …]}` scripts the next
replies, one request each; the last one stays. `GET /_meter` tells what was served, `GET /_requests` the
latest requests as they came. `POST /_reset` forgets all.
`POST /_release` lets go of requests that a `barrier` holds back, so that all of them are in flight at once.
A request for structured output gets an entry for each labelled block of facts. A streamed reply comes in `pieces`,
`piece_ms` apart. What of a prompt is read from or written to the vendor's cache is counted as vendors do: see
tests.prompt_cache. `POST /_expire` empties that cache. Batches: tests.provider_batches.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import re
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

from tests.erring import WRONG, errs
from tests.prompt_cache import Counted, PromptCache, anthropic_prompt, count_tokens, openai_prompt
from tests.provider_batches import Batches

ECHO_WORDS = 50
BARRIER_SECONDS = 30
LATEST_REQUESTS = 20
FACTS_BLOCK = re.compile(r'<product_facts(?: id="(\d+)")?>\s*(.*?)\s*</product_facts>', re.DOTALL)
STALL_SECONDS = 30
PING_SECONDS = 10  # while a barrier holds a stream back
STREAM_FAULTS = ("drop_midway", "broken_json", "end_early", "stall", "error_event")
CHAT = "/v1/chat/completions"
PATHS = ("/v1/messages", CHAT)


@dataclass(frozen=True)
class Behaviour:
    """How one request is answered; the defaults are a healthy reply that tells the prompt's facts back."""

    text: str = "echo facts"
    delay_ms: int = 0
    token_ms: float = 0  # on top, for each token that is written
    barrier: bool = False
    status: int = 200
    retry_after: str = ""
    error_code: str = "scripted_error"
    # In a stream, `drop_midway`, `broken_json` and those of the second line come after `after` pieces.
    fault: Literal["", "drop", "drop_midway", "broken_json", "not_json", "trickle",
                   "end_early", "stall", "error_event"] = ""  # fmt: skip
    pieces: int = 8
    piece_ms: float = 0
    spread_ms: float = 0  # before the first piece, a different time each
    after: int = 3
    stop: str | None = "healthy"  # the vendor's own word, or None
    usage: Any = "metered"  # or what stands in its place, None to leave it out
    cached_tokens: int = 0  # these three come on top of the prompt's own tokens
    cache_write_tokens: int = 0
    cache_write_long_tokens: int = 0
    output_tokens: int | None = None  # for each text
    refusal: str | None = None
    service_tier: str | None = None
    error_rates: dict[str, float] = field(default_factory=dict)  # by model; see tests.erring
    hard_category: str = ""
    # What is wrong with a reply of several texts or fields: its last entry, its first two, or all of it.
    shared: Literal["", "missing", "empty", "wrong_id", "twice", "swapped", "cut_json"] = ""


@dataclass
class Meter:
    """The other side of the ledger."""

    requests: int = 0
    most_in_flight: int = 0
    call_ids: list[str] = field(default_factory=list)
    served: list[dict[str, Any]] = field(default_factory=list)
    batched: list[dict[str, Any]] = field(default_factory=list)
    batches: list[dict[str, Any]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)  # of the last request, names in small letters
    asked: dict[str, Any] = field(default_factory=dict)  # its body, without what was said


class Script:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.gate = threading.Event()
        self.batches = Batches(self.answer, self.record_batched)
        self.prompt_cache = PromptCache()
        self.in_flight: set[int] = set()  # threads; those of requests that came before the last reset are not of them
        self.reset()

    def reset(self) -> None:
        self.batches.reset()
        with self.lock:
            self.behaviours = [Behaviour()]
            self.meter = Meter()
            self.requests: list[dict[str, Any]] = []
            self.in_flight.clear()
            self.gate.clear()
        self.prompt_cache.forget()

    def behave(self, behaviours: list[Behaviour]) -> None:
        with self.lock:
            self.behaviours = behaviours or [Behaviour()]

    def arrive(self, call_id: str, headers: dict[str, str], request: dict[str, Any]) -> Behaviour:
        asked = {name: value for name, value in request.items() if name not in ("messages", "system")}
        with self.lock:
            self.requests = [*self.requests[-LATEST_REQUESTS + 1 :], request]
            self.meter.headers, self.meter.asked = headers, asked
            self.in_flight.add(threading.get_ident())
            self.meter.requests += 1
            self.meter.most_in_flight = max(self.meter.most_in_flight, len(self.in_flight))
            self.meter.call_ids.append(call_id)
            return self.behaviours.pop(0) if len(self.behaviours) > 1 else self.behaviours[0]

    def leave(self) -> None:
        with self.lock:
            self.in_flight.discard(threading.get_ident())

    def record(self, call_id: str, model: str, tokens: dict[str, int]) -> dict[str, Any]:
        """The line on the meter, which a stream adds the time of its first piece to."""
        line = {"call_id": call_id, "model": model, **tokens}
        with self.lock:
            # A request that came before the last reset is not of this reading.
            if call_id in self.meter.call_ids:
                self.meter.served.append(line)
        return line

    def answer(self, request: dict[str, Any], is_chat: bool) -> tuple[dict[str, Any], dict[str, int]]:
        """One request of a batch: the next behaviour of the script, as far as it concerns the reply."""
        with self.lock:
            behaviour = self.behaviours.pop(0) if len(self.behaviours) > 1 else self.behaviours[0]
        counted = self.prompt_cache.count((openai_prompt if is_chat else anthropic_prompt)(request, "batch"))
        self.prompt_cache.keep(counted)
        return answer(request, behaviour, counted, is_chat=is_chat)

    def record_batched(self, served: dict[str, Any]) -> None:
        with self.lock:
            self.meter.batched.append(served)

    def reading(self) -> dict[str, Any]:
        with self.lock:
            return {**asdict(self.meter), "batches": self.batches.reading()}


def echo_facts(prompt: str) -> str:
    """A true description: the facts of the prompt's data block, label by label."""
    block = FACTS_BLOCK.search(prompt)
    return tell(json.loads(block[2]) if block else {"title": "The product", "facts": []})


def tell(data: dict[str, Any]) -> str:
    sentences = [f"The {data['title']}."]
    for fact in data["facts"]:
        if fact["label"] == "Description":  # the shop's prose, orders and all
            continue
        sentence = f"{fact['label']}: {fact['value']}".rstrip(".") + "."
        if len(" ".join([*sentences, sentence]).split()) <= ECHO_WORDS:
            sentences.append(sentence)
    return " ".join(sentences)


def echo_reply(prompt: str, schema: dict[str, Any], fault: str) -> str:
    """As the schema has it: one text's fields, or an entry for each labelled block."""
    if "texts" in schema["properties"]:
        return echo_parts(prompt, schema, fault)
    block = FACTS_BLOCK.search(prompt)
    assert block is not None
    title = json.loads(block[2])["title"]
    fields = dict.fromkeys(schema["required"], title) | {"description": echo_facts(prompt)}
    if fault in ("missing", "wrong_id"):
        del fields[schema["required"][-1]]
    elif fault == "empty":
        fields["description"] = " "
    reply = json.dumps(fields)
    return reply[: len(reply) // 2] if fault == "cut_json" else reply


def echo_parts(prompt: str, schema: dict[str, Any], fault: str) -> str:
    """One entry of the schema's for each labelled block."""
    names = schema["properties"]["texts"]["items"]["required"]
    entries = []
    for block in FACTS_BLOCK.finditer(prompt):
        data = json.loads(block[2])
        told = {"id": block[1], "description": tell(data)}
        entries.append({name: told.get(name, data["title"]) for name in names})
    spoil(entries, fault)
    reply = json.dumps({"texts": entries})
    return reply[: len(reply) // 2] if fault == "cut_json" else reply


def spoil(entries: list[dict[str, str]], fault: str) -> None:
    if fault == "missing":
        del entries[-1]
    elif fault == "empty":
        entries[-1]["description"] = " "
    elif fault == "wrong_id":
        entries[-1]["id"] = "99"
    elif fault == "twice":
        entries[-1]["id"] = entries[0]["id"]
    elif fault == "swapped":
        entries[0]["id"], entries[1]["id"] = entries[1]["id"], entries[0]["id"]


def asked_schema(request: dict[str, Any]) -> dict[str, Any] | None:
    """The JSON Schema that the reply is to have, in either API's words."""
    if output := request.get("output_config"):
        assert output["format"]["type"] == "json_schema"
        schema: dict[str, Any] = output["format"]["schema"]
        return schema
    if output := request.get("response_format"):
        assert output["type"] == "json_schema"
        assert output["json_schema"]["strict"]
        strict: dict[str, Any] = output["json_schema"]["schema"]
        return strict
    return None


def write_text(request: dict[str, Any], behaviour: Behaviour) -> str:
    if behaviour.text != "echo facts":
        return behaviour.text
    prompt = asked_prompt(request)
    schema = asked_schema(request)
    if schema:
        return echo_reply(prompt, schema, behaviour.shared)
    return echo_facts(prompt) + WRONG * errs(request, behaviour.error_rates, behaviour.hard_category)


def asked_prompt(request: dict[str, Any]) -> str:
    """The message that holds the facts; what is said after it is about the replies to it."""
    prompt: str = next(message["content"] for message in request["messages"] if message["role"] == "user")
    return prompt


def tokens_of(counted: Counted, texts: int, text: str, behaviour: Behaviour) -> dict[str, int]:
    return {
        "input_uncached": counted.uncached,
        "input_cached": counted.cached + behaviour.cached_tokens,
        "cache_write_short": counted.written + behaviour.cache_write_tokens,
        "cache_write_long": behaviour.cache_write_long_tokens,
        "output": count_tokens(text) if behaviour.output_tokens is None else behaviour.output_tokens * texts,
    }


def anthropic_usage(tokens: dict[str, int]) -> dict[str, Any]:
    return {
        "input_tokens": tokens["input_uncached"],
        "cache_read_input_tokens": tokens["input_cached"],
        "cache_creation_input_tokens": tokens["cache_write_short"] + tokens["cache_write_long"],
        "cache_creation": {
            "ephemeral_5m_input_tokens": tokens["cache_write_short"],
            "ephemeral_1h_input_tokens": tokens["cache_write_long"],
        },
        "output_tokens": tokens["output"],
        "service_tier": "standard",
    }


def openai_usage(tokens: dict[str, int]) -> dict[str, Any]:
    written = tokens["cache_write_short"] + tokens["cache_write_long"]
    given = tokens["input_uncached"] + tokens["input_cached"] + written
    return {
        "prompt_tokens": given,
        "completion_tokens": tokens["output"],
        "total_tokens": given + tokens["output"],
        "prompt_tokens_details": {"cached_tokens": tokens["input_cached"], "cache_write_tokens": written},
        "completion_tokens_details": {"reasoning_tokens": 0},
    }


def message(model: str, text: str, stop: str | None, behaviour: Behaviour) -> dict[str, Any]:
    return {
        "id": "msg_test",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [{"type": "text", "text": text}] if text else [],
        "stop_reason": stop,
        "stop_sequence": None,
    }


def chat_completion(model: str, text: str, stop: str | None, behaviour: Behaviour) -> dict[str, Any]:
    reply = {"role": "assistant", "content": text, "refusal": behaviour.refusal}
    body: dict[str, Any] = {
        "id": "chatcmpl-test",
        "object": "chat.completion",
        "created": 1_800_000_000,
        "model": model,
        "choices": [{"index": 0, "finish_reason": stop, "message": reply}],
    }
    return body | ({"service_tier": behaviour.service_tier} if behaviour.service_tier else {})


def answer(
    request: dict[str, Any], behaviour: Behaviour, counted: Counted, *, is_chat: bool
) -> tuple[dict[str, Any], dict[str, int]]:
    """The body of a reply, and the tokens that it cost."""
    text = write_text(request, behaviour)
    texts = len(FACTS_BLOCK.findall(asked_prompt(request))) or 1
    tokens = tokens_of(counted, texts, text, behaviour)
    stop = ("stop" if is_chat else "end_turn") if behaviour.stop == "healthy" else behaviour.stop
    body = (chat_completion if is_chat else message)(request["model"], text, stop, behaviour)
    usage = (openai_usage if is_chat else anthropic_usage)(tokens)
    if behaviour.usage is not None:
        body["usage"] = usage if behaviour.usage == "metered" else behaviour.usage
    return body, tokens


@dataclass(frozen=True)
class Frame:
    """What stands around the text in a stream."""

    data: bytes


@dataclass(frozen=True)
class Piece:
    """A piece of the text."""

    data: bytes


def framed(event: str, data: Any) -> bytes:
    name = f"event: {event}\n" if event else ""
    return f"{name}data: {json.dumps(data)}\n\n".encode()


def cut(text: str, count: int) -> list[str]:
    """So many pieces of about the same size; they fall into the middle of words."""
    count = max(min(count, len(text)), 1)
    bounds = [len(text) * number // count for number in range(count + 1)]
    return [text[start:end] for start, end in itertools.pairwise(bounds)]


def anthropic_events(
    request: dict[str, Any], text: str, stop: str | None, tokens: dict[str, int], behaviour: Behaviour
) -> Iterator[Piece | Frame]:
    def frame(kind: str, **values: Any) -> Frame:
        return Frame(framed(kind, {"type": kind, **values}))

    usage = anthropic_usage(tokens) if behaviour.usage == "metered" else behaviour.usage
    # Output is counted as it is written: one token at the start, all of them at the end.
    begun = {"usage": {**usage, "output_tokens": 1}} if usage else {}
    yield frame("message_start", message=message(request["model"], "", None, behaviour) | begun)
    yield frame("content_block_start", index=0, content_block={"type": "text", "text": ""})
    yield frame("ping")
    for piece in cut(text, behaviour.pieces):
        delta = {"type": "text_delta", "text": piece}
        yield Piece(framed("content_block_delta", {"type": "content_block_delta", "index": 0, "delta": delta}))
    yield frame("content_block_stop", index=0)
    ended = {"usage": {"output_tokens": usage["output_tokens"]}} if usage else {}
    yield frame("message_delta", delta={"stop_reason": stop, "stop_sequence": None}, **ended)
    yield frame("message_stop")


def openai_events(
    request: dict[str, Any], text: str, stop: str | None, tokens: dict[str, int], behaviour: Behaviour
) -> Iterator[Piece | Frame]:
    whole = chat_completion(request["model"], "", stop, behaviour)
    envelope = {**whole, "object": "chat.completion.chunk"}

    def chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
        return framed("", {**envelope, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})

    yield Frame(chunk({"role": "assistant", "content": ""}))
    for piece in cut(text, behaviour.pieces):
        yield Piece(chunk({"content": piece}))
    if behaviour.refusal:
        yield Frame(chunk({"refusal": behaviour.refusal}))
    yield Frame(chunk({}, stop))
    if behaviour.usage is not None and (request.get("stream_options") or {}).get("include_usage"):
        usage = openai_usage(tokens) if behaviour.usage == "metered" else behaviour.usage
        yield Frame(framed("", {**envelope, "choices": [], "usage": usage}))
    yield Frame(b"data: [DONE]\n\n")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 65_536
    server: ProviderServer

    def log_message(self, format: str, *args: Any) -> None:
        """Silence: the meter is the log."""

    def do_GET(self) -> None:
        if self.path == "/_meter":
            self.reply(200, self.server.script.reading())
        elif self.path == "/_requests":
            self.reply(200, self.server.script.requests)
        elif not self.treat_batches(b""):
            self.reply(404, {"error": {"type": "not_found_error"}})

    def treat_batches(self, body: bytes) -> bool:
        """False for an address that is not of theirs."""
        found = self.server.script.batches.handle(self.command, self.path, body, self.headers.get("Content-Type", ""))
        if found is None:
            return False
        status, payload = found
        if status == 0:
            self.close_connection = True
        elif isinstance(payload, bytes):
            self.send(status, payload, {"Content-Type": "application/x-jsonl"})
        else:
            self.reply(status, payload)
        return True

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/_control":
            self.server.script.behave([Behaviour(**each) for each in json.loads(body)["behaviours"]])
            self.reply(200, {})
        elif self.path == "/_reset":
            self.server.script.reset()
            self.reply(200, {})
        elif self.path == "/_expire":
            self.server.script.prompt_cache.forget()
            self.reply(200, {})
        elif self.path == "/_release":
            self.server.script.gate.set()
            self.reply(200, {})
        elif self.path in PATHS:
            self.complete(json.loads(body))
        elif not self.treat_batches(body):
            self.reply(404, {"error": {"type": "not_found_error"}})

    def complete(self, request: dict[str, Any]) -> None:
        call_id = self.headers.get("X-Client-Request-Id", "")
        headers = {name.lower(): value for name, value in self.headers.items()}
        behaviour = self.server.script.arrive(call_id, headers, request)
        try:
            time.sleep(behaviour.delay_ms / 1000)
            if behaviour.barrier and not request.get("stream"):
                self.server.script.gate.wait(BARRIER_SECONDS)
            if not (self.headers.get("x-api-key") or self.headers.get("Authorization")):
                self.reply(401, {"error": {"type": "authentication_error"}})
            elif behaviour.status != 200:
                self.refuse(behaviour)
            elif behaviour.fault == "drop":
                self.close_connection = True
            else:
                self.serve(request, behaviour, call_id)
        finally:
            self.server.script.leave()

    def refuse(self, behaviour: Behaviour) -> None:
        headers = {"Retry-After": behaviour.retry_after} if behaviour.retry_after else {}
        # Vendors quote what they were sent, so that tests can see it go no further.
        error = {"type": behaviour.error_code, "message": "quoted: <product_facts> test-key"}
        self.reply(behaviour.status, {"type": "error", "error": error}, headers)

    def serve(self, request: dict[str, Any], behaviour: Behaviour, call_id: str) -> None:
        is_chat = self.path == CHAT
        key = self.headers.get("x-api-key") or self.headers.get("Authorization") or ""
        counted = self.server.script.prompt_cache.count((openai_prompt if is_chat else anthropic_prompt)(request, key))
        if request.get("stream") and behaviour.fault in ("", *STREAM_FAULTS):
            self.stream(request, behaviour, counted, call_id)
            return
        body, tokens = answer(request, behaviour, counted, is_chat=is_chat)
        time.sleep(behaviour.token_ms * tokens["output"] / 1000)
        self.server.script.record(call_id, request["model"], tokens)
        self.server.script.prompt_cache.keep(counted)
        self.send_faulty(json.dumps(body).encode(), behaviour.fault)

    def send_events(self, events: Iterator[Piece | Frame], line: dict[str, Any], behaviour: Behaviour) -> None:
        """As chunks of HTTP, each flushed; what is no piece leaves with the next one that is."""
        self.send_response(200)
        for name, value in (("Content-Type", "text/event-stream"), ("request-id", "req_test")):
            self.send_header(name, value)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.flush()
        while behaviour.barrier and not self.server.script.gate.wait(PING_SECONDS):
            self.write_chunk(b": still here\n\n")
            self.wfile.flush()
        time.sleep(behaviour.spread_ms * random.random() / 1000)
        sent = 0
        for event in events:
            if isinstance(event, Piece):
                if sent >= behaviour.after and behaviour.fault in STREAM_FAULTS:
                    self.break_off(behaviour.fault)
                    return
                time.sleep(behaviour.piece_ms / 1000)
                line.setdefault("first_piece_at", time.time())
                sent += 1
            self.write_chunk(event.data)
            if isinstance(event, Piece):
                self.wfile.flush()
        self.write_chunk(b"")
        self.wfile.flush()

    def write_chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))

    def break_off(self, fault: str) -> None:
        if fault == "stall":
            self.wfile.flush()
            time.sleep(STALL_SECONDS)
        elif fault == "broken_json":
            self.write_chunk(b'event: content_block_delta\ndata: {"type": "content_bl\n\n')
        elif fault == "error_event":
            error = {"type": "overloaded_error", "message": "quoted: <product_facts> test-key"}
            self.write_chunk(framed("error", {"type": "error", "error": error}))
        if fault in ("end_early", "broken_json", "error_event"):
            self.write_chunk(b"")
        else:
            self.close_connection = True
        self.wfile.flush()

    def stream(self, request: dict[str, Any], behaviour: Behaviour, counted: Counted, call_id: str) -> None:
        is_chat = self.path == CHAT
        text = write_text(request, behaviour)
        texts = len(FACTS_BLOCK.findall(asked_prompt(request))) or 1
        tokens = tokens_of(counted, texts, text, behaviour)
        stop = ("stop" if is_chat else "end_turn") if behaviour.stop == "healthy" else behaviour.stop
        line = self.server.script.record(call_id, request["model"], tokens)
        self.server.script.prompt_cache.keep(counted)
        events = (openai_events if is_chat else anthropic_events)(request, text, stop, tokens, behaviour)
        self.send_events(events, line, behaviour)

    def send_faulty(self, payload: bytes, fault: str) -> None:
        if fault == "broken_json":
            self.send(200, payload[: len(payload) // 2])
        elif fault == "not_json":
            self.send(200, b"<html>Welcome to the hotel's network</html>", {"Content-Type": "text/html"})
        elif fault == "drop_midway":
            self.send(200, payload[: len(payload) // 2], length=len(payload))
            self.close_connection = True
        elif fault == "trickle":
            self.send(200, b"", length=len(payload))
            for byte in payload:
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                time.sleep(0.05)
        else:
            self.send(200, payload)

    def reply(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        self.send(status, json.dumps(body).encode(), headers)

    def send(
        self, status: int, payload: bytes, headers: dict[str, str] | None = None, length: int | None = None
    ) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "request-id": "req_test", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(payload) if length is None else length))
        self.end_headers()
        self.wfile.write(payload)
        self.wfile.flush()


class ProviderServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.script = Script()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is what some tests are about."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def main() -> None:
    parser = argparse.ArgumentParser(description="A scripted model provider on loopback.")
    parser.add_argument("--port", type=int, default=0)
    with ProviderServer(parser.parse_args().port) as server:
        sys.stdout.write(f"{server.server_port}\n")
        sys.stdout.flush()
        server.serve_forever(poll_interval=0.05)


if __name__ == "__main__":
    main()
