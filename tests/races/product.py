"""The whole product as real processes: supervisor, Procfile, engines of its own, and a model provider on loopback."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import redis
from celery import Celery

from contentopt.engines.engine import free_port
from contentopt.engines.locks import pid_of
from contentopt.engines.postgres import Postgres
from contentopt.engines.valkey import Valkey
from contentopt.tenancy import EVERY_ROW
from tests.servers import KEY, ROOT, Provider, Stripe

READY = "Ctrl-C stops everything"  # the last line of a start
START_SECONDS = 300  # of a machine that is busy with other things
STOP_SECONDS = 30
PATIENCE_SECONDS = 90  # with what takes a moment, where other tests keep the processors busy
WORKERS = 4  # interactive, bulk, streams, delivery
# How the supervisor's children are told apart.
COMMANDS = {"bulk": "-Q bulk", "streams": "-Q streams", "web": "granian", "clock": "manage.py clock"}


@dataclass(frozen=True)
class Process:
    pid: int
    parent: int
    command: str


def list_processes() -> list[Process]:
    table = subprocess.run(["ps", "-ww", "-eo", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
    rows = (line.split(maxsplit=2) for line in table.splitlines())
    return [Process(int(row[0]), int(row[1]), row[2]) for row in rows if len(row) == 3]


def eventually(condition: Callable[[], Any], seconds: float = PATIENCE_SECONDS, pause: float = 0.05) -> Any:
    """The first true value of the condition, or the last false one."""
    deadline = time.monotonic() + seconds
    while not (value := condition()) and time.monotonic() < deadline:
        time.sleep(pause)
    return value


def is_being_done(answer: httpx2.Response) -> bool:
    return answer.status_code == 409 and bool(answer.json()["error"]["code"] == "request_in_progress")


class Product:
    def __init__(self, folder: Path, provider: Provider, **environment: str) -> None:
        self.local = folder / "local"
        self.provider = provider
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.output = folder / "output"
        self.environment = self._environment() | environment
        with self.output.open("wb") as output:
            command = [sys.executable, "-m", "contentopt.supervisor", "--after", "true"]
            self.supervisor = subprocess.Popen(
                command, cwd=ROOT, env=self.environment, stdout=output, stderr=subprocess.STDOUT
            )

    def _environment(self) -> dict[str, str]:
        ours = {
            "CONTENTOPT_LOCAL": str(self.local),
            "DATABASE_URL": "",
            "REDIS_URL": "",
            "PORT": str(self.port),
            "PUBLIC_URL": self.url,
            "DEBUG": "true",
            "LOG_LEVEL": "WARNING",
            "ANTHROPIC_API_KEY": KEY,
            "ANTHROPIC_BASE_URL": self.provider.url,
            "OPENAI_API_KEY": "",
            "STRIPE_API_KEY": "",
            "JOB_LEASE_SECONDS": "8",  # a leader that fifty followers keep from the processor is not dead
            "JOB_RESEND_SECONDS": "3",
            "JOB_SWEEP_SECONDS": "1",
            "BATCH_POLL_SECONDS": "1",
            "NIGHT_IS_ON": "false",  # whatever the hour, nothing is written but what a test asks for
            "WEB_THREADS": "32",  # two processes take 50 requests at once
            "DATABASE_POOL_SIZE": "40",
            "INTERACTIVE_WORKERS": "1",
            "BULK_WORKERS": "4",
        }
        return {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"} | ours

    def await_ready(self) -> None:
        eventually(lambda: READY in self.said() or self.supervisor.poll() is not None, START_SECONDS)
        assert READY in self.said(), self.said()
        with Celery(broker=self.broker_url, set_as_current=False) as app:
            assert eventually(lambda: len(app.control.ping(timeout=0.5) or []) == WORKERS, START_SECONDS), self.said()

    def said(self) -> str:
        return self.output.read_text()

    def stop(self) -> None:
        self.supervisor.send_signal(signal.SIGINT)
        try:
            self.supervisor.wait(STOP_SECONDS)
        finally:
            self.supervisor.kill()  # its children follow it

    # --- What a person would use ---

    def create_key(self, name: str, plan: str = "internal") -> str:
        """The API key of a new workspace."""
        command = [sys.executable, "manage.py", "create_workspace", "--owner", "owner@linden-tools.example"]
        command += ["--name", name, "--plan", plan, "--json"]
        made = subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, check=True)
        key: str = json.loads(made.stdout)["api_key"]
        return key

    def call(self, key: str, method: str, path: str, **options: Any) -> httpx2.Response:
        """Again until the web process answers: it may just have been killed. And, as the API's document says, while the
        same request is being done: who did it may have been killed, and nobody knows until the lease has run out."""
        headers = {"Authorization": f"Bearer {key}", **options.pop("headers", {})}
        deadline = time.monotonic() + START_SECONDS
        while True:
            is_late, wait = time.monotonic() > deadline, 0.1
            try:
                answer = httpx2.request(method, f"{self.url}/api/v1/{path}", headers=headers, timeout=30, **options)
                if is_late or not is_being_done(answer):
                    return answer
                wait = float(answer.headers["Retry-After"])
            except httpx2.TransportError:
                if is_late:
                    raise
            time.sleep(wait)

    def import_file(self, key: str, content: bytes) -> str:
        """The id of the imported catalogue."""
        made = self.call(key, "POST", "catalogues", files={"file": ("products.csv", content)})
        assert made.status_code == 202, made.text
        path = f"catalogues/{made.json()['id']}"
        assert eventually(lambda: self.call(key, "GET", path).json()["status"] == "ready")
        identifier: str = made.json()["id"]
        return identifier

    def stripe(self) -> Stripe:
        """The stand-in that the supervisor started."""
        return Stripe(f"http://127.0.0.1:{(self.local / 'stripe' / 'port').read_text()}")

    # --- What nobody should ---

    def pid(self, name: str) -> int | None:
        """Of `valkey`, of a command of the Procfile, or of the newest child of one (`bulk child`)."""
        if name == "valkey":
            return pid_of(Valkey(self.local).server_path) or None
        command, _, child = name.partition(" ")
        processes = list_processes()
        mine = [p.pid for p in processes if p.parent == self.supervisor.pid and COMMANDS[command] in p.command]
        if child:
            mine = [p.pid for p in processes if p.parent in mine]
        return max(mine, default=None)

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> None:
        """Once it is up: it may be on its way back from the last time."""
        pid = eventually(lambda: self.pid(name), START_SECONDS)
        assert pid, f"{name} does not come back"
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            self.kill(name, number)

    def kill_all(self, name: str) -> None:
        """A command of the Procfile with all its children, at the same moment."""
        eventually(lambda: self.pid(f"{name} child"), START_SECONDS)
        processes = list_processes()
        heads = {p.pid for p in processes if p.parent == self.supervisor.pid and COMMANDS[name] in p.command}
        for process in processes:
            if heads & {process.pid, process.parent}:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process.pid, signal.SIGKILL)

    def flush(self) -> None:
        """Valkey forgets everything, the broker's messages among it."""
        with redis.Redis.from_url(Valkey(self.local).url()) as valkey:
            valkey.flushall()

    # --- What is on the books ---

    def settle_open_holds(self) -> None:
        """Now what the clock does once they have expired: what a killed process had asked for counts at its ceiling."""
        self.execute("UPDATE accounts_reservation SET expires_at = now() WHERE state IN ('held', 'dispatched')")
        assert eventually(lambda: not self.open_holds()), self.open_holds()

    def open_holds(self) -> list[tuple[Any, ...]]:
        return self.fetch(
            "SELECT id, state, expires_at FROM accounts_reservation WHERE state IN ('held', 'dispatched')"
        )

    @property
    def broker_url(self) -> str:
        return Valkey(self.local).url().removesuffix("/0") + "/1"

    @property
    def database_url(self) -> str:
        return Postgres(self.local).url() + EVERY_ROW

    def fetch(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.database_url) as database:
            return database.execute(query, values).fetchall()

    def execute(self, statement: str, *values: Any) -> None:
        with psycopg.connect(self.database_url) as database:
            database.execute(statement, values)


@contextmanager
def run_product(folder: Path, provider: Provider, **environment: str) -> Iterator[Product]:
    product = Product(folder, provider, **environment)
    try:
        product.await_ready()
        yield product
    finally:
        product.stop()
