"""The agents' tools, asked as an agent's program would: the real client, over the pipes of a process of its own."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from mcp import Client, StdioServerParameters
from mcp.types import CallToolResult

from tests.servers import ROOT

Call = tuple[str, dict[str, Any]]


def with_tools(url: str, key: str, work: Callable[[Client], Awaitable[Any]]) -> Any:
    environment = {"CONTENTOPT_URL": url, "CONTENTOPT_API_KEY": key}
    program = StdioServerParameters(command=sys.executable, args=["-m", "agents"], env=environment, cwd=ROOT)

    async def session() -> Any:
        async with Client(program, read_timeout_seconds=30) as client:
            return await work(client)

    return on_own_thread(session)


def on_own_thread(work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """A test that drove a browser leaves a loop running on the main one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work()).result()


def ask(url: str, key: str, *calls: Call) -> list[CallToolResult]:
    async def work(client: Client) -> list[CallToolResult]:
        return [await client.call_tool(name, arguments) for name, arguments in calls]

    answers: list[CallToolResult] = with_tools(url, key, work)
    return answers


def said(answer: CallToolResult) -> str:
    return "".join(block.text for block in answer.content if block.type == "text")
