"""What a text costs that has to be written: the time on top of a provider that takes none.

    .venv/bin/python -m benchmarks.miss [rounds]

Starts granian with two workers as the Procfile does, without DEBUG (which writes every statement down once more), on
engines of its own with their durability on, and a provider on loopback that answers at once. One and eight keep-alive
connections ask over the API for products that nobody asked for before, under a hard budget, so that each is looked up
in every layer, held, sent, checked, settled and stored:

    provider        the provider alone, asked by the same client
    miss            a description, with calls shared as they come
    miss, alone     the same with a call for each text

`over` is the median on top of the provider's. `µs` is what the two workers spend on a request, which tells the truth on
a busy machine too. At the end the ledger must be what the provider's own meter says it served.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import secrets
import statistics
import sys
import time
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from benchmarks.hit import FOLDER, processor_seconds, served  # isort: skip  (first: it says where the engines are)

from django.core.management import call_command
from django.db.models import Sum

from accounts.models import UsageEntry, User, Workspace
from accounts.services.keys import issue_key
from accounts.services.workspaces import create_workspace
from contentopt.engines import stop
from contentopt.tenancy import enter_all
from tests.servers import KEY, Provider, run_provider

SECONDS = 3
CONNECTIONS = (1, 8)
CAP_NANOS = 100 * 10**9
NUMBERS = count(1)
AS_IN_PRODUCTION = {"DEBUG": "false", "SECRET_KEY": secrets.token_hex(32), "SECURE_SSL_REDIRECT": "false"}


@dataclass(frozen=True)
class Target:
    name: str
    url: str
    key: str
    pid: int | None = None


@dataclass(frozen=True)
class Figures:
    per_second: float
    p50_ms: float
    p99_ms: float
    processor_us: float


def description() -> dict[str, object]:
    """Of a product that was never asked for."""
    number = next(NUMBERS)
    attributes = {"Material": "steel", "Weight": f"{180 + number % 500} g", "Capacity": f"{500 + number % 90} ml"}
    features = ["Dishwasher safe", "Two handles"]
    return {"product": {"title": f"Keeper {number}", "brand": "Alder", "attributes": attributes, "features": features}}


def message() -> dict[str, object]:
    """What a description is asked of the provider with, more or less."""
    facts = {"title": f"Keeper {next(NUMBERS)}", "facts": [{"label": "Material", "value": "steel"}]}
    prompt = f"<product_facts>\n{json.dumps(facts)}\n</product_facts>"
    messages = [{"role": "user", "content": "Rules. " * 400 + prompt}]
    return {"model": "claude-haiku-5-5", "max_tokens": 480, "messages": messages}


async def ask_for_a_while(target: Target, connections: int) -> list[float]:
    """Seconds of each reply, on connections that ask again as soon as they are answered."""
    until, took = time.perf_counter() + SECONDS, list[float]()
    host, _, path = target.url.removeprefix("http://").partition("/")
    address, _, port = host.partition(":")
    new_body = message if target.pid is None else description

    async def ask_on() -> None:
        reader, writer = await asyncio.open_connection(address, int(port))
        while time.perf_counter() < until:
            content = json.dumps(new_body())
            head = f"POST /{path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {target.key}\r\n"
            head += f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
            started = time.perf_counter()
            writer.write((head + content).encode())
            reply = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", reply.lower())
            assert length
            body = await reader.readexactly(int(length[1]))
            took.append(time.perf_counter() - started)
            assert reply.startswith(b"HTTP/1.1 200"), reply + body
            assert target.pid is None or json.loads(body)["source"] == "model", body
        writer.close()

    await asyncio.gather(*(ask_on() for _ in range(connections)))
    return took


def measure(target: Target, connections: int) -> Figures:
    before = sum(processor_seconds(target.pid)) if target.pid else 0.0
    took = sorted(asyncio.run(ask_for_a_while(target, connections)))
    spent = sum(processor_seconds(target.pid)) - before if target.pid else 0.0
    middle, last = len(took) // 2, len(took) * 99 // 100
    return Figures(len(took) / SECONDS, 1000 * took[middle], 1000 * took[last], 1e6 * spent / len(took))


def resident_mb(parent: int) -> list[float]:
    """Of each worker."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    pages = [int(Path(f"/proc/{child}/statm").read_text().split()[1]) for child in children]
    return [count * os.sysconf("SC_PAGE_SIZE") / 1e6 for count in pages]


def set_up() -> tuple[Workspace, str]:
    call_command("migrate", verbosity=0)
    owner = User.objects.create_user("miss@benchmark.example")
    workspace = create_workspace(owner=owner, name="Miss", plan="internal")
    Workspace.objects.filter(pk=workspace.pk).update(spend_cap_nanos=CAP_NANOS)
    _, key = issue_key(workspace=workspace, name="Miss", scopes=["read", "write"])
    return workspace, key


def main() -> None:
    enter_all()
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    workspace, key = set_up()
    with run_provider() as provider:
        os.environ |= {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": provider.url, **AS_IN_PRODUCTION}
        with served("contentopt.rsgi:application", "/healthz") as (url, pid):
            os.environ["MICRO_BATCH_SECONDS"] = "0"
            with served("contentopt.rsgi:application", "/healthz") as (lone_url, lone_pid):
                targets = [
                    Target("provider", f"{provider.url}/v1/messages", KEY),
                    Target("miss", f"{url}/api/v1/descriptions", key, pid),
                    Target("miss, alone", f"{lone_url}/api/v1/descriptions", key, lone_pid),
                ]
                compare(targets, rounds, provider, workspace)
                sizes = ", ".join(f"{size:.0f} MB" for size in resident_mb(pid))
    print(f"resident, each worker: {sizes}")


def compare(targets: list[Target], rounds: int, provider: Provider, workspace: Workspace) -> None:
    for target in targets:
        measure(target, CONNECTIONS[-1])  # both workers have loaded what they need
    provider.reset()
    before = spent_by(workspace)
    figures: dict[tuple[str, int], list[Figures]] = {}
    metered = 0
    for _ in range(rounds):
        metered += provider.cost_nanos()
        for target in targets:
            for connections in CONNECTIONS:
                figures.setdefault((target.name, connections), []).append(measure(target, connections))
                if target.pid is None:
                    provider.reset()
    report(figures, rounds)
    spent, metered = spent_by(workspace) - before, metered + provider.cost_nanos()
    print(f"ledger ${spent / 1e9:.9f}, provider ${metered / 1e9:.9f}: {'equal' if spent == metered else 'DIFFERENT'}")


def spent_by(workspace: Workspace) -> int:
    return UsageEntry.objects.in_workspace(workspace).aggregate(sum=Sum("cost_nanos"))["sum"] or 0


def report(figures: dict[tuple[str, int], list[Figures]], rounds: int) -> None:
    print(f"{rounds} rounds of {SECONDS} s each, median and best")
    head = f"{'':<14}{'connections':>12}{'requests/s':>12}{'best':>7}{'p50 ms':>9}{'best':>7}{'over':>7}"
    print(f"{head}{'p99 ms':>8}{'µs':>8}")
    for (name, connections), measured in figures.items():
        rates, p50s = [f.per_second for f in measured], [f.p50_ms for f in measured]
        base = statistics.median(f.p50_ms for f in figures["provider", connections])
        print(
            f"{name:<14}{connections:>12}{statistics.median(rates):>12,.0f}{max(rates):>7,.0f}"
            f"{statistics.median(p50s):>9.1f}{min(p50s):>7.1f}{statistics.median(p50s) - base:>7.1f}"
            f"{statistics.median(f.p99_ms for f in measured):>8.1f}"
            f"{statistics.median(f.processor_us for f in measured):>8,.0f}"
        )


if __name__ == "__main__":
    try:
        main()
    finally:
        stop(Path(FOLDER.name))
