"""The agents' tools against a stand-in for the API that answers as it is told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from mcp import Client
from mcp.types import ListToolsResult

from agents.api import Api
from agents.tools import make_server
from contentopt.engines.engine import free_port
from generation.api.briefs import ProductBody, WishesBody
from tests.agents import ask, on_own_thread, said, with_tools
from tests.servers import ROOT

KEY = "co_1a2b3c4d.not-a-real-secret"
APRON = {"title": "Linen Apron", "attributes": {"Material": "linen", "Weight": "320 g", "Pockets": 2, "Washable": True}}
NO_WISHES: dict[str, Any] = {"tone": "neutral", "language": "en", "length": "medium", "channel": "web", "tier": "auto"}
NO_WISHES |= {"keywords": [], "voice": "", "instructions": ""}

TEXT = {
    "id": "7f0f8f3e-0d3e-4b43-9d39-0f8b8d1d8f11",
    "text": "A linen apron.",
    "source": "model",
    "model": "claude-haiku-5-5",
    "cost_usd": "0.000215",
    "evidence": [{"sentence": "A linen apron.", "start": 0, "end": 14, "facts": ["Material"]}],
    "remaining": {"minute": 4, "day": None},
}
ESTIMATE = {
    "products": 200,
    "known": 150,
    "calls": 50,
    "ceiling_usd": "0.40",
    "likely_usd": "0.011",
    "seconds": 12.5,
    "model": "claude-haiku-5-5",
    "fits_budget": False,
    "budget_left_usd": "0.30",
    "over_quota": 0,
}
MONEY = {"limit_usd": "1.00", "spent_usd": "0.70", "held_usd": "0.00", "left_usd": "0.30", "resets_at": "2026-12-01"}
BUDGET = {**MONEY, "plan_limit_usd": "20.00", "key": {**MONEY, "limit_usd": None, "left_usd": None}}
DAY = {"date": "2026-11-26", "texts": 3, "free": 1, "calls": 2, "cost_usd": "0.70"}
USAGE = {"days": 7, "texts": 3, "free": 1, "calls": 2, "cost_usd": "0.70", "by_day": [DAY]}


@dataclass
class StandIn:
    url: str = ""
    replies: list[tuple[int, dict[str, str], Any]] = field(default_factory=list)
    asked: list[tuple[str, str, Any]] = field(default_factory=list)
    authorization: set[str | None] = field(default_factory=set)
    delay_seconds: float = 0

    def will_answer(self, body: Any, status: int = 200, **headers: str) -> None:
        self.replies.append((status, {name.replace("_", "-"): value for name, value in headers.items()}, body))

    def will_refuse(self, status: int, code: str, message: str, details: Any = None, **headers: str) -> None:
        error = {"code": code, "message": message, "details": details or {}}
        self.will_answer({"error": error}, status, **headers)


@contextmanager
def run_stand_in() -> Iterator[StandIn]:
    stand_in = StandIn()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            stand_in.asked.append((self.command, self.path, json.loads(body) if body else None))
            stand_in.authorization.add(self.headers.get("Authorization"))
            time.sleep(stand_in.delay_seconds)
            status, headers, reply = stand_in.replies.pop(0)
            content = reply.encode() if isinstance(reply, str) else json.dumps(reply).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = answer  # noqa: N815

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        stand_in.url = f"http://127.0.0.1:{server.server_port}"
        yield stand_in
        server.shutdown()


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    with run_stand_in() as stand_in:
        yield stand_in


def test_tools_ask_the_api_with_the_key_and_give_its_answers_in_their_shapes(stand_in: StandIn) -> None:
    catalogue = "0b0e5b80-7c1b-4a3e-9f5e-2f6f7f8f9fa0"
    for reply in (TEXT, ESTIMATE, ESTIMATE, BUDGET, USAGE):
        stand_in.will_answer(reply)

    described, one, many, used = ask(
        stand_in.url,
        KEY,
        ("describe", {"product": APRON, "tone": "friendly", "keywords": ["kitchen"]}),
        ("estimate", {"product": APRON}),
        ("estimate", {"catalogue": catalogue, "length": "short"}),
        ("usage", {"days": 7}),
    )

    assert stand_in.asked == [
        ("POST", "/api/v1/descriptions", {"product": APRON, **NO_WISHES, "tone": "friendly", "keywords": ["kitchen"]}),
        ("POST", "/api/v1/estimates", {"product": APRON, **NO_WISHES}),
        ("POST", "/api/v1/estimates", {"catalogue": catalogue, **NO_WISHES, "length": "short"}),
        ("GET", "/api/v1/budget", None),
        ("GET", "/api/v1/usage?days=7", None),
    ]
    assert stand_in.authorization == {f"Bearer {KEY}"}
    evidence = [{"sentence": "A linen apron.", "facts": ["Material"]}]
    assert described.structured_content == {**TEXT, "evidence": evidence}
    assert one.structured_content == many.structured_content == ESTIMATE
    key = {**BUDGET["key"], "plan_limit_usd": None}  # type: ignore[dict-item]
    assert used.structured_content == {**USAGE, "budget": {**BUDGET, "key": key}}


def test_refusals_reach_the_agent_in_words_it_can_act_on(stand_in: StandIn) -> None:
    stand_in.will_refuse(402, "budget_exhausted", "The cap of $1 is used up.", {"left_usd": "0.00"})
    stand_in.will_refuse(429, "rate_limited", "Try again in 7 s.", Retry_After="7")
    stand_in.will_refuse(422, "invalid", "Some fields are not right.", {"product": {"title": ["May not be blank."]}})
    stand_in.will_refuse(503, "provider_unavailable", "New texts are paused for everyone.", Retry_After="600")
    stand_in.will_refuse(401, "unauthenticated", "This key is revoked.")
    stand_in.will_answer("<h1>Bad gateway</h1>", 502)
    stand_in.will_answer("<h1>Welcome</h1>", 200)

    answers = ask(stand_in.url, KEY, *[("describe", {"product": APRON})] * 7)

    assert all(answer.is_error and answer.structured_content is None for answer in answers)
    prefix = "Error executing tool describe: "
    assert [said(answer).removeprefix(prefix) for answer in answers] == [
        'budget_exhausted: The cap of $1 is used up.\ndetails: {"left_usd": "0.00"}',
        "rate_limited: Try again in 7 s.\nretry_after: 7 seconds",
        'invalid: Some fields are not right.\ndetails: {"product": {"title": ["May not be blank."]}}',
        "provider_unavailable: New texts are paused for everyone.\nretry_after: 600 seconds",
        "unauthenticated: This key is revoked.",
        "server_error: The server failed (502). Try again later.",
        "unexpected_reply: The server answered 200, and not as ContentOpt would. Is CONTENTOPT_URL right?",
    ]


def test_nothing_is_asked_with_arguments_that_make_no_sense(stand_in: StandIn) -> None:
    answers = ask(
        stand_in.url,
        KEY,
        ("describe", {"product": {"titel": "Linen Apron"}}),
        ("describe", {"product": APRON, "tone": "loud"}),
        ("estimate", {}),
        ("usage", {"days": 0}),
    )

    assert [answer.is_error for answer in answers] == [True] * 4
    assert "product.titel" in said(answers[0])
    assert "Give either `product` or `catalogue`." in said(answers[2])
    assert stand_in.asked == []


def test_dead_server_is_said_to_be_dead_and_the_key_is_not_told() -> None:
    [answer] = ask(f"http://127.0.0.1:{free_port()}", KEY, ("usage", {}))

    assert answer.is_error
    assert "unreachable: The server at CONTENTOPT_URL does not answer" in said(answer)
    assert KEY not in said(answer)


def test_slow_server_is_given_up_on(stand_in: StandIn) -> None:
    stand_in.delay_seconds = 0.3
    stand_in.will_answer(TEXT)

    async def work() -> str:
        async with Client(make_server(Api(stand_in.url, KEY, reply_seconds=0.1))) as client:
            return said(await client.call_tool("describe", {"product": APRON}))

    assert "timeout: No answer in time." in on_own_thread(work)


def test_tools_document_what_the_api_takes() -> None:
    async def work(client: Client) -> ListToolsResult:
        return await client.list_tools()

    listed = with_tools("http://127.0.0.1:9", KEY, work)

    tools = {tool.name: tool for tool in listed.tools}
    assert {name: tool.annotations.read_only_hint for name, tool in tools.items()} == {
        "describe": False,
        "estimate": True,
        "usage": True,
    }
    wishes: Any = WishesBody().fields
    for name in ("describe", "estimate"):
        given = tools[name].input_schema["properties"]
        assert {n: given[n]["default"] for n in wishes} == WishesBody().to_internal_value({}) == NO_WISHES
        chosen = {n: tuple(given[n]["enum"]) for n in ("tone", "language", "length", "channel", "tier")}
        assert chosen == {n: tuple(wishes[n].choices) for n in chosen}
    product = tools["describe"].input_schema["$defs"]["Product"]["properties"]
    assert set(product) == set(ProductBody().fields) - {"variants"}
    assert all(tool.output_schema for tool in listed.tools)


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"CONTENTOPT_API_KEY": KEY}, "CONTENTOPT_URL"),
        ({"CONTENTOPT_URL": "http://127.0.0.1:9"}, "CONTENTOPT_API_KEY"),
        ({"CONTENTOPT_URL": "http://127.0.0.1:9", "CONTENTOPT_API_KEY": f"{KEY}\nX"}, "CONTENTOPT_API_KEY"),
    ],
)
def test_start_without_settings_says_what_to_set(environment: dict[str, str], message: str) -> None:
    command = [sys.executable, "-m", "agents"]
    ended = subprocess.run(
        command, cwd=ROOT, env={"PATH": os.environ["PATH"], **environment}, capture_output=True, text=True
    )

    assert ended.returncode == 1
    assert message in ended.stderr
    assert KEY not in ended.stderr
    assert ended.stdout == ""
