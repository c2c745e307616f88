"""How fast a text that is known is given: through the whole HTTP stack, with its key, limits and the ledger's line.

    .venv/bin/python -m benchmarks.hit [rounds]

Starts granian with two workers as the Procfile does, on engines of its own, and asks with 1, 16 and 64 connections:

    nothing         a Django view that does nothing, without middleware
    two look-ups    the same with DRF, a body parsed and hashed, and two look-ups in Valkey
    known           POST /api/v1/descriptions, one of 50 bodies that were sent before
    new spelling    the same products in a spelling that was never sent before

one after the other, and that several times; prints the median and the best round. `share` is the part of the two
workers' processor time that the busier one took: 50 % is even. `µs` is what the workers spend on a request, which tells
the truth on a busy machine too: compare it between the lines. The load comes from wrk if it is installed (Debian:
wrk), else from a client in Python, which takes more of the machine. Between the rounds the answers are drained into the
ledger; how long that takes is printed as well, for in production it goes on beside.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

FOLDER = tempfile.TemporaryDirectory(prefix="contentopt-hit-")
os.environ |= {
    "CONTENTOPT_LOCAL": FOLDER.name,
    "DATABASE_URL": "",
    "REDIS_URL": "",
    "DJANGO_SETTINGS_MODULE": "contentopt.settings",
    "DEBUG": "true",
    "LOG_LEVEL": "ERROR",
    "ANTHROPIC_API_KEY": "",
    "OPENAI_API_KEY": "",
    "FREE_ANSWERS_WAITING": "1000000",
}

import django  # noqa: E402

django.setup()

import asyncio  # noqa: E402
import json  # noqa: E402
import re  # noqa: E402
import shutil  # noqa: E402
import statistics  # noqa: E402
import subprocess  # noqa: E402
import time  # noqa: E402
from collections.abc import Iterator  # noqa: E402
from contextlib import contextmanager  # noqa: E402
from dataclasses import dataclass  # noqa: E402

import httpx2  # noqa: E402
from django.core.cache import cache  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django_redis import get_redis_connection  # noqa: E402

from accounts.erasing import erase_at_once  # noqa: E402
from accounts.metering import drain_free_answers  # noqa: E402
from accounts.models import Plan, User, Workspace  # noqa: E402
from accounts.services.keys import issue_key  # noqa: E402
from accounts.services.workspaces import create_workspace  # noqa: E402
from contentopt.engines import stop  # noqa: E402
from contentopt.engines.engine import free_port  # noqa: E402
from contentopt.tenancy import enter_all  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
SECONDS = 4
CONNECTIONS = (1, 16, 64)
PRODUCTS = 50
MATERIALS = ("linen", "oak", "stoneware", "steel", "cotton")


@dataclass(frozen=True)
class Target:
    name: str
    url: str
    pid: int
    is_new: bool = False


@dataclass(frozen=True)
class Figures:
    per_second: float
    p50_ms: float
    p99_ms: float
    share: float
    processor_us: float


def bodies() -> list[str]:
    return [
        json.dumps(
            {
                "product": {
                    "title": f"Keeper {n}",
                    "brand": "Alder",
                    "category": "Kitchen",
                    "attributes": {"Material": MATERIALS[n % 5], "Weight": f"{180 + n} g", "Capacity": f"{500 + n} ml"},
                    "features": ["Dishwasher safe", "Two handles"],
                },
                "tone": "friendly",
            }
        )
        for n in range(PRODUCTS)
    ]


def set_up() -> tuple[Workspace, str]:
    """A workspace with limits of every kind, which it will not reach, and a day behind it."""
    call_command("migrate", verbosity=0)
    Plan.objects.filter(slug="enterprise").update(burst_per_minute=10**7, requests_per_day=10**9)
    owner = User.objects.create_user("hit@benchmark.example")
    workspace = create_workspace(owner=owner, name="Hit", plan="enterprise")
    _, key = issue_key(workspace=workspace, name="Hit", scopes=["read", "write"])
    prefix = cache.make_key(f"limit:{{{workspace.pk}}}:workspace:{workspace.pk}:burst")
    for part, width, count in (("hour", 60, 60), ("day", 900, 96)):
        newest = int(time.time() // width)
        get_redis_connection("default").hset(
            f"{prefix}:{part}", mapping={str(newest - age): 9 for age in range(1, count)}
        )
    return workspace, key


@contextmanager
def served(application: str, probe: str) -> Iterator[tuple[str, int]]:
    """By the Procfile's own command. Gives the address and the process."""
    line = next(line for line in (ROOT / "Procfile").read_text().splitlines() if line.startswith("web:"))
    port = free_port()
    command = line.removeprefix("web:").strip().replace("contentopt.rsgi:application", application)
    environment = {
        **os.environ,
        "PORT": str(port),
        "WEB_WORKERS": "2",
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
    }
    server = subprocess.Popen(["/bin/sh", "-c", f"exec {command}"], cwd=ROOT, env=environment)
    url = f"http://127.0.0.1:{port}"
    try:
        while True:
            try:
                httpx2.get(url + probe)
                break
            except httpx2.TransportError:
                assert server.poll() is None, "the server does not start"
                time.sleep(0.2)
        yield url, server.pid
    finally:
        server.terminate()
        server.wait()


def processor_seconds(parent: int) -> list[float]:
    """Of each worker."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    fields = [Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split() for child in children]
    return [(int(row[11]) + int(row[12])) / os.sysconf("SC_CLK_TCK") for row in fields]


def measure(target: Target, key: str, connections: int, products: Path) -> Figures:
    before = processor_seconds(target.pid)
    if shutil.which("wrk"):
        per_second, p50, p99 = by_wrk(target, key, connections, products)
    else:
        per_second, p50, p99 = asyncio.run(by_ourselves(target, key, connections, products))
    spent = sorted(after - earlier for earlier, after in zip(before, processor_seconds(target.pid), strict=True))
    processor_us = 1e6 * sum(spent) / (per_second * SECONDS)
    return Figures(per_second, p50, p99, spent[-1] / max(sum(spent), 0.01), processor_us)


def by_wrk(target: Target, key: str, connections: int, products: Path) -> tuple[float, float, float]:
    command = ["wrk", "-t", "1", "-c", str(connections), "-d", f"{SECONDS}s", "--latency", "-s", "benchmarks/hit.lua"]
    command += ["-H", f"Authorization: Bearer {key}", "-H", "Content-Type: application/json", target.url]
    command += ["--", str(products), "new" if target.is_new else "known"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "Non-2xx" not in said, said
    found = re.search(r"Requests/sec:\s+([\d.]+)", said)
    assert found, said
    return float(found[1]), _percentile(said, 50), _percentile(said, 99)


def _percentile(said: str, percent: int) -> float:
    found = re.search(rf"{percent}%\s+([\d.]+)(us|ms|s)", said)
    assert found, said
    return float(found[1]) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[found[2]]


async def by_ourselves(target: Target, key: str, connections: int, products: Path) -> tuple[float, float, float]:
    """Keep-alive connections, each asking as soon as it has been answered."""
    until, took = time.perf_counter() + SECONDS, []
    contents = products.read_text().splitlines()
    host, _, path = target.url.removeprefix("http://").partition("/")
    address, _, port = host.partition(":")

    async def ask_on(number: int) -> None:
        reader, writer = await asyncio.open_connection(address, int(port))
        while time.perf_counter() < until:
            number += connections
            content = contents[number % len(contents)]
            if target.is_new:
                content = content.replace(" ", " " * (number % 5 + 1)).replace("}", " " * (number // 5 % 997) + "}", 1)
            head = f"POST /{path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {key}\r\n"
            head += f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
            started = time.perf_counter()
            writer.write((head + content).encode())
            reply = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", reply.lower())
            assert length
            assert reply.startswith(b"HTTP/1.1 200"), reply
            await reader.readexactly(int(length[1]))
            took.append(time.perf_counter() - started)
        writer.close()

    await asyncio.gather(*map(ask_on, range(connections)))
    took.sort()
    return len(took) / SECONDS, 1000 * took[len(took) // 2], 1000 * took[len(took) * 99 // 100]


def main() -> None:
    enter_all()
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    workspace, key = set_up()
    products = Path(FOLDER.name) / "bodies"
    products.write_text("\n".join(bodies()) + "\n")
    with (
        served("benchmarks.bare:application", "/nothing") as (bare, bare_pid),
        served("contentopt.rsgi:application", "/healthz") as (url, pid),
    ):
        known = f"{url}/api/v1/descriptions"
        for _ in range(6):  # by both workers
            for body in bodies():
                with httpx2.Client(timeout=60) as client:
                    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
                    assert client.post(known, content=body, headers=headers).status_code == 200
        targets = [
            Target("nothing", f"{bare}/nothing", bare_pid),
            Target("two look-ups", f"{bare}/two-look-ups", bare_pid),
            Target("known", known, pid),
            Target("new spelling", known, pid, is_new=True),
        ]
        figures: dict[tuple[str, int], list[Figures]] = {}
        drained, drain_seconds = 0, 0.0
        for _ in range(rounds):
            for target in targets:
                for connections in CONNECTIONS:
                    measured = measure(target, key, connections, products)
                    figures.setdefault((target.name, connections), []).append(measured)
                started = time.perf_counter()
                drained += drain_free_answers()
                drain_seconds += time.perf_counter() - started
    report(figures, rounds)
    print(f"drained into ledger and texts: {drained:,} answers, {drained / drain_seconds:,.0f} a second")
    erase_at_once(workspace)


def report(figures: dict[tuple[str, int], list[Figures]], rounds: int) -> None:
    print(
        f"load by {'wrk, one thread' if shutil.which('wrk') else 'a client in Python'}; {rounds} rounds of {SECONDS} s"
    )
    print(
        f"{'':<14}{'connections':>12}{'requests/s':>12}{'best':>8}{'p50 ms':>9}{'best':>8}{'p99 ms':>9}"
        f"{'share':>8}{'µs':>7}"
    )
    for (name, connections), measured in figures.items():
        rates, p50s = [f.per_second for f in measured], [f.p50_ms for f in measured]
        print(
            f"{name:<14}{connections:>12}{statistics.median(rates):>12,.0f}{max(rates):>8,.0f}"
            f"{statistics.median(p50s):>9.2f}{min(p50s):>8.2f}"
            f"{statistics.median(f.p99_ms for f in measured):>9.2f}{statistics.median(f.share for f in measured):>8.0%}"
            f"{statistics.median(f.processor_us for f in measured):>7,.0f}"
        )


if __name__ == "__main__":
    try:
        main()
    finally:
        stop(Path(FOLDER.name))
