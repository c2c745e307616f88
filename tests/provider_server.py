"""A model provider on loopback for tests and benchmarks: Anthropic's Messages and OpenAI's Chat API, without streaming.

`python -m tests.provider_server --port 0` prints its port. `POST /_control {"behaviours": [{…}, …]}` scripts the next
replies, one request each; the last one stays. `GET /_meter` tells what was served, `POST /_reset` forgets all.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import threading
import time
from dataclasses import asdict, dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

ECHO_WORDS = 50
FACTS_BLOCK = re.compile(r"<product_facts>\s*(.*?)\s*</product_facts>", re.DOTALL)
STOPS = {"/v1/messages": "end_turn", "/v1/chat/completions": "stop"}


@dataclass(frozen=True)
class Behaviour:
    """How one request is answered; the defaults are a healthy reply that tells the prompt's facts back."""

    text: str = "echo facts"
    delay_ms: int = 0
    status: int = 200
    retry_after: str = ""
    error_code: str = "scripted_error"
    fault: Literal["", "drop", "drop_midway", "broken_json", "not_json", "trickle"] = ""
    stop: str | None = "healthy"  # the vendor's own word, or None
    usage: Any = "metered"  # or what stands in its place, None to leave it out
    cached_tokens: int = 0  # these three come on top of the prompt's own tokens
    cache_write_tokens: int = 0
    cache_write_long_tokens: int = 0
    output_tokens: int | None = None
    refusal: str | None = None
    service_tier: str | None = None


@dataclass
class Meter:
    """The other side of the ledger."""

    requests: int = 0
    most_in_flight: int = 0
    call_ids: list[str] = field(default_factory=list)
    served: list[dict[str, Any]] = field(default_factory=list)


class Script:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        with self.lock:
            self.behaviours = [Behaviour()]
            self.meter = Meter()
            self.in_flight = 0

    def behave(self, behaviours: list[Behaviour]) -> None:
        with self.lock:
            self.behaviours = behaviours or [Behaviour()]

    def arrive(self, call_id: str) -> Behaviour:
        with self.lock:
            self.in_flight += 1
            self.meter.requests += 1
            self.meter.most_in_flight = max(self.meter.most_in_flight, self.in_flight)
            self.meter.call_ids.append(call_id)
            return self.behaviours.pop(0) if len(self.behaviours) > 1 else self.behaviours[0]

    def leave(self) -> None:
        with self.lock:
            self.in_flight -= 1

    def record(self, call_id: str, model: str, tokens: dict[str, int]) -> None:
        with self.lock:
            self.meter.served.append({"call_id": call_id, "model": model, **tokens})

    def reading(self) -> dict[str, Any]:
        with self.lock:
            return asdict(self.meter)


def echo_facts(prompt: str) -> str:
    """A true description: the facts of the prompt's data block, label by label."""
    block = FACTS_BLOCK.search(prompt)
    data: dict[str, Any] = json.loads(block[1]) if block else {"title": "The product", "facts": []}
    sentences = [f"The {data['title']}."]
    for fact in data["facts"]:
        if fact["label"] == "Description":  # the shop's prose, orders and all
            continue
        sentence = f"{fact['label']}: {fact['value']}".rstrip(".") + "."
        if len(" ".join([*sentences, sentence]).split()) <= ECHO_WORDS:
            sentences.append(sentence)
    return " ".join(sentences)


def count_tokens(text: str) -> int:
    return -(-len(text.encode()) // 4)


def tokens_of(prompt: str, text: str, behaviour: Behaviour) -> dict[str, int]:
    return {
        "input_uncached": count_tokens(prompt),
        "input_cached": behaviour.cached_tokens,
        "cache_write_short": behaviour.cache_write_tokens,
        "cache_write_long": behaviour.cache_write_long_tokens,
        "output": count_tokens(text) if behaviour.output_tokens is None else behaviour.output_tokens,
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
        else:
            self.reply(404, {"error": {"type": "not_found_error"}})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/_control":
            self.server.script.behave([Behaviour(**each) for each in json.loads(body)["behaviours"]])
            self.reply(200, {})
        elif self.path == "/_reset":
            self.server.script.reset()
            self.reply(200, {})
        elif self.path in STOPS:
            self.complete(json.loads(body))
        else:
            self.reply(404, {"error": {"type": "not_found_error"}})

    def complete(self, request: dict[str, Any]) -> None:
        call_id = self.headers.get("X-Client-Request-Id", "")
        behaviour = self.server.script.arrive(call_id)
        try:
            time.sleep(behaviour.delay_ms / 1000)
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
        is_chat = self.path == "/v1/chat/completions"
        prompt = request["messages"][-1]["content"]
        text = echo_facts(prompt) if behaviour.text == "echo facts" else behaviour.text
        tokens = tokens_of(f"{request.get('system', '')}{prompt}", text, behaviour)
        stop = STOPS[self.path] if behaviour.stop == "healthy" else behaviour.stop
        body = (chat_completion if is_chat else message)(request["model"], text, stop, behaviour)
        usage = (openai_usage if is_chat else anthropic_usage)(tokens)
        if behaviour.usage is not None:
            body["usage"] = usage if behaviour.usage == "metered" else behaviour.usage
        self.server.script.record(call_id, request["model"], tokens)
        self.send_faulty(json.dumps(body).encode(), behaviour.fault)

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

    def reply(self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> None:
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
