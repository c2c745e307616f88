"""Loopback servers as real processes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from generation.llm.types import Endpoint

ROOT = Path(__file__).resolve().parent.parent
KEY = "test-key"


@dataclass(frozen=True)
class Provider:
    """A running tests.provider_server."""

    url: str

    @property
    def anthropic(self) -> Endpoint:
        return Endpoint(self.url, KEY)

    @property
    def openai(self) -> Endpoint:
        return Endpoint(f"{self.url}/v1", KEY)

    def behave(self, *behaviours: dict[str, Any]) -> None:
        """Script the next replies, one request each; the last one stays. See Behaviour for the words."""
        httpx2.post(f"{self.url}/_control", json={"behaviours": behaviours}).raise_for_status()

    def meter(self) -> dict[str, Any]:
        reading: dict[str, Any] = httpx2.get(f"{self.url}/_meter").json()
        return reading

    def reset(self) -> None:
        httpx2.post(f"{self.url}/_reset").raise_for_status()


@contextmanager
def run_provider() -> Iterator[Provider]:
    command = [sys.executable, "-m", "tests.provider_server", "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield Provider(f"http://127.0.0.1:{int(process.stdout.readline())}")
        finally:
            process.terminate()
