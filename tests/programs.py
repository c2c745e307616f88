"""Servers that others wrote, run as they are."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import httpx2

from tests.races.product import eventually

START_SECONDS = 20


@contextmanager
def run_program(
    command: Sequence[str], port: int, path: str, is_up: Callable[[httpx2.Response], bool], **options: Any
) -> Iterator[str]:
    """The address of what listens on that port, once it replies at `path` as it should."""
    url = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        try:
            return is_up(httpx2.get(f"{url}{path}"))
        except httpx2.TransportError:
            return False

    with subprocess.Popen(command, **options) as server:
        try:
            assert eventually(answers, START_SECONDS), f"{command[0]} does not start"
            yield url
        finally:
            server.terminate()
