"""A thousand texts that are read while a model writes them, and what that leaves of everything else.

    .venv/bin/python -m benchmarks.streams [streams]

Starts the web process as the Procfile does, two workers for streams, engines of its own and a model provider on
loopback, all on this machine, which also holds the readers. Each reader sends `POST /api/v1/descriptions` and accepts
events. The provider holds all of them back until the last one is open, then begins each at its own moment within
SPREAD_SECONDS and writes it for WRITE_SECONDS in PIECES pieces. Prints

    in order     streams whose pieces, put together, are the text that `done` holds
    first piece  from the moment the provider wrote it to the moment the reader had it
    known        requests a second for texts that are known, over 16 connections: alone, while all streams are open
                 and wait, and while they are written
    processor    whose the processor time of the machine was in each of these. Provider, readers and load are the world
                 outside, which would have processors of its own: here they run at the web process's priority, so that
                 none of them waits, and their part is taken from the product

and compares the ledger with the provider's meter. Known texts are asked for by what benchmarks.hit uses.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from benchmarks import hit  # isort: skip  (first: it sets the environment, and Django up)

from accounts.erasing import erase_at_once
from contentopt.engines import status, stop
from contentopt.tenancy import enter_all
from generation import models
from generation.models import LlmCall
from tests.events import events_of, told
from tests.servers import KEY, Provider, run_provider

WRITE_SECONDS = 20
SPREAD_SECONDS = 10
PIECES = 40
OPENED_AT_ONCE = 16
LAST_SECONDS = 180  # for checking and storing the last one after its provider is done
WORKERS = 2
KNOWN_CONNECTIONS = 16
RATES = {"input_uncached": 100, "input_cached": 10, "cache_write_short": 125, "cache_write_long": 200, "output": 500}


@dataclass
class Reading:
    """One stream, as its reader saw it."""

    content: bytearray = field(default_factory=bytearray)
    first_piece_at: float = 0.0

    @property
    def is_in_order(self) -> bool:
        events = events_of(bytes(self.content))
        return bool(events) and events[-1].name == "done" and told(events) == events[-1].data["text"]


def body(number: int) -> bytes:
    features = [
        "Dishwasher safe",
        "Stackable",
        "Glazed inside and outside",
        "Thrown by hand",
        "Fits under most machines",
    ]
    product = {"title": f"Reader {number:05d}", "attributes": {"Material": "stoneware"}, "features": features}
    return json.dumps({"product": product}).encode()


async def read(port: int, key: str, number: int, reading: Reading, opening: asyncio.Semaphore) -> None:
    content = body(number)
    head = (
        f"POST /api/v1/descriptions HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {key}\r\n"
        f"Accept: text/event-stream\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    async with opening:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(head.encode() + content)
        reply = await reader.readuntil(b"\r\n\r\n")
        assert reply.startswith(b"HTTP/1.1 200"), reply
        assert b"transfer-encoding: chunked" in reply.lower(), reply
    while size := int(await reader.readuntil(b"\r\n"), 16):
        chunk = (await reader.readexactly(size + 2))[:-2]
        if not reading.first_piece_at and b"event: text" in chunk:
            reading.first_piece_at = time.time()
        reading.content += chunk
    writer.close()


@contextmanager
def stream_workers() -> Iterator[list[subprocess.Popen[bytes]]]:
    line = next(line for line in (hit.ROOT / "Procfile").read_text().splitlines() if line.startswith("streams:"))
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}
    started = []
    for number in range(WORKERS):
        command = line.removeprefix("streams:").strip().replace("streams@", f"streams{number}@")
        started.append(subprocess.Popen(["/bin/sh", "-c", f"exec {command}"], cwd=hit.ROOT, env=environment))
    try:
        yield started
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait()


def megabytes(pid: int) -> float:
    fields = Path(f"/proc/{pid}/status").read_text().split()
    return int(fields[fields.index("VmRSS:") + 1]) / 1024


async def in_flight(provider: Provider) -> int:
    return len((await asyncio.to_thread(provider.meter))["call_ids"])


@dataclass(frozen=True)
class Known:
    target: hit.Target
    key: str
    products: Path

    def per_second(self) -> float:
        figures = [hit.measure(self.target, self.key, KNOWN_CONNECTIONS, self.products) for _ in range(2)]
        return statistics.median(each.per_second for each in figures)


def tree_seconds(pid: int) -> float:
    """Processor time of a process, its children and those of them that have ended."""
    try:
        spent = sum(map(int, Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:15]))
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except FileNotFoundError:
        return 0.0
    return spent / os.sysconf("SC_CLK_TCK") + sum(tree_seconds(int(child)) for child in children)


class Spending:
    """Who spends the machine's processor time."""

    def __init__(self, roots: dict[str, int]) -> None:
        self._roots = roots | {each.name: each.keeper_pid for each in status(Path(hit.FOLDER.name))}

    def reading(self) -> dict[str, float]:
        """Seconds since each began."""
        ours, load = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
        spent = {name: tree_seconds(pid) for name, pid in self._roots.items()}
        return spent | {"readers": ours.ru_utime + ours.ru_stime, "load": load.ru_utime + load.ru_stime}

    @contextmanager
    def told(self, name: str) -> Iterator[None]:
        before, began = self.reading(), time.monotonic()
        yield
        seconds = (time.monotonic() - began) * (os.cpu_count() or 1)
        shares = {who: (spent - before[who]) / seconds for who, spent in self.reading().items()}
        told = ", ".join(f"{who} {share:.0%}" for who, share in shares.items())
        print(f"processor time while {name}: {told}, others and idle {1 - sum(shares.values()):.0%}", flush=True)


async def run(
    count: int, port: int, key: str, provider: Provider, known: Known, spending: Spending
) -> tuple[list[Reading], dict[str, float]]:
    readings = [Reading() for _ in range(count)]
    opening = asyncio.Semaphore(OPENED_AT_ONCE)
    rates = {}
    with spending.told("alone"):
        rates["alone"] = await asyncio.to_thread(known.per_second)
    began = time.monotonic()
    tasks = [asyncio.create_task(read(port, key, number, each, opening)) for number, each in enumerate(readings)]
    while await in_flight(provider) < count:
        await asyncio.wait(tasks, timeout=0.5, return_when=asyncio.FIRST_EXCEPTION)
        done = [(task.exception(), each.content) for task, each in zip(tasks, readings, strict=True) if task.done()]
        assert not done, done[:3]
        assert time.monotonic() - began < 300, "the streams do not open"
    print(f"{count} streams open after {time.monotonic() - began:.0f} s")
    with spending.told("open"):
        rates["open"] = await asyncio.to_thread(known.per_second)
    provider.release()
    await asyncio.sleep(SPREAD_SECONDS)
    with spending.told("written"):
        rates["written"] = await asyncio.to_thread(known.per_second)
    _, late = await asyncio.wait(tasks, timeout=LAST_SECONDS)
    for task in late:
        task.cancel()
    return readings, rates


def delays(readings: list[Reading], provider: Provider) -> list[float]:
    """Milliseconds from the provider's first piece to the reader's, sorted."""
    served = {line["call_id"]: line["first_piece_at"] for line in provider.meter()["served"]}
    calls = LlmCall.objects.across_workspaces().filter(pk__in=served)
    wrote = {str(text_id): served[str(pk)] for pk, text_id in calls.values_list("pk", "text_id")}
    found = []
    for reading in readings:
        text_id = events_of(bytes(reading.content))[-1].data.get("id") if reading.content else None
        if reading.first_piece_at and text_id in wrote:
            found.append(1000 * (reading.first_piece_at - wrote[text_id]))
    return sorted(found)


def books_agree(provider: Provider) -> bool:
    served: list[dict[str, Any]] = provider.meter()["served"]
    calls = LlmCall.objects.across_workspaces().filter(pk__in=[line["call_id"] for line in served])
    served_for: int = sum(RATES[kind] * line[kind] for line in served for kind in RATES)
    return sum(call.cost_nanos for call in calls) == served_for


def main() -> None:
    enter_all()
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    workspace, key = hit.set_up()
    models.Provider.objects.update(concurrency=2 * count)
    products = Path(hit.FOLDER.name) / "bodies"
    products.write_text("\n".join(hit.bodies()) + "\n")
    with run_provider() as provider:
        os.environ |= {
            "ANTHROPIC_API_KEY": KEY,
            "ANTHROPIC_BASE_URL": provider.url,
            "STREAM_THREADS": str(count),
            # The provider holds the first ones back until the last is open.
            "MODEL_DEADLINE_SECONDS": "400",
        }
        with hit.served("contentopt.rsgi:application", "/healthz") as (url, pid), stream_workers() as workers:
            known = Known(hit.Target("known", f"{url}/api/v1/descriptions", pid), key, products)
            roots = {"web": pid, "provider": provider.pid}
            roots |= {f"streams{number}": worker.pid for number, worker in enumerate(workers)}
            write_known(known)
            provider.reset()
            pace = {"pieces": PIECES, "piece_ms": 1000 * WRITE_SECONDS / PIECES, "spread_ms": 1000 * SPREAD_SECONDS}
            provider.behave({"barrier": True, **pace})
            spending = Spending(roots)
            try:
                readings, rates = asyncio.run(run(count, int(url.rpartition(":")[2]), key, provider, known, spending))
            finally:
                provider.release()  # or the workers would not end before it
            sizes = [megabytes(process.pid) for process in workers]
        report(readings, rates, delays(readings, provider), sizes)
        print(f"ledger = provider's meter: {books_agree(provider)}")
    erase_at_once(workspace)


def write_known(known: Known) -> None:
    for _ in range(4):  # by each of the web processes
        for content in random.sample(hit.bodies(), hit.PRODUCTS):
            headers = {"Authorization": f"Bearer {known.key}", "Content-Type": "application/json"}
            with httpx2.Client(timeout=60) as client:
                assert client.post(known.target.url, content=content, headers=headers).status_code == 200


def report(readings: list[Reading], rates: dict[str, float], first: list[float], sizes: list[float]) -> None:
    print(f"in order: {sum(reading.is_in_order for reading in readings)} of {len(readings)}")
    marks = [first[len(first) * percent // 100] for percent in (50, 95, 99)]
    print("first piece: p50 {:.0f} ms, p95 {:.0f} ms, p99 {:.0f} ms".format(*marks), f"({len(first)} streams)")
    print("known, requests/s:", ", ".join(f"{name} {rate:,.0f}" for name, rate in rates.items()))
    print(f"left while they are written: {rates['written'] / rates['alone']:.0%}")
    print("each worker:", ", ".join(f"{size:,.0f} MB" for size in sizes))


if __name__ == "__main__":
    try:
        main()
    finally:
        stop(Path(hit.FOLDER.name))
