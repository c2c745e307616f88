"""The supervisor, with small commands in place of ours and no engines."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from contentopt import engines, supervisor
from contentopt.engines.engine import free_port, is_free
from tests.races.product import eventually

pytestmark = pytest.mark.processes

PROJECT = Path(supervisor.__file__).resolve().parents[1]
PROCFILE = """
# A web server that answers /healthz, and a worker that says who it is.
release: echo migrating
web: python -m http.server --bind 127.0.0.1 ${PORT:-8000}
worker: python -u worker.py ${GREETING:-hello}
"""
WORKER = """
import os, subprocess, sys, time

child = subprocess.Popen(["sleep", "100"])
open("worker.pid", "w").write(f"{os.getpid()} {child.pid}")
print(sys.argv[1], os.getpid())
time.sleep(100)
"""


class Running:
    """A supervisor under way, and all it has said."""

    def __init__(self, root: Path, port: int, after: str, **environment: str) -> None:
        self.root = root
        self.port = port
        self.output_path = root / f"output-{time.monotonic_ns()}"
        with self.output_path.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "contentopt.supervisor", "--root", str(root), "--after", after],
                cwd=PROJECT,
                env={
                    **os.environ,
                    "PORT": str(port),
                    "CONTENTOPT_LOCAL": str(root / ".local"),
                    "DATABASE_URL": "postgresql://elsewhere/db",
                    "REDIS_URL": "redis://elsewhere/0",
                    **environment,
                },
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def said(self) -> str:
        return self.output_path.read_text()

    def await_ready(self) -> None:
        """Once the worker is up too, which starts a little later."""
        assert eventually(lambda: "Ctrl-C" in self.said() and (self.root / "worker.pid").exists()), self.said()

    def worker_pids(self) -> list[int]:
        return [int(pid) for pid in (self.root / "worker.pid").read_text().split()]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "a shop's folder"
    folder.mkdir()
    (folder / "Procfile").write_text(PROCFILE)
    (folder / "worker.py").write_text(WORKER)
    (folder / "healthz").write_text("fine")
    return folder


@pytest.fixture
def start(root: Path) -> Iterator[Callable[..., Running]]:
    started: list[Running] = []

    def run(port: int = 0, after: str = "", **environment: str) -> Running:
        started.append(Running(root, port or free_port(), after, **environment))
        return started[-1]

    yield run
    for running in started:
        running.process.terminate()
        running.process.wait(60)


def is_alive(pid: int) -> bool:
    """A zombie, which some systems' first process is slow to reap, is not."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(state.strip()) and not state.startswith("Z")


Start = Callable[..., Running]


def test_start_shows_its_steps_and_keeps_the_rest_in_files(start: Start) -> None:
    running = start()

    running.await_ready()
    said = [line.split() for line in running.said().splitlines() if line]
    assert [words[0] for words in said] == ["database", "web", "ready", "Ctrl-C"]
    assert said[2][1] == f"http://127.0.0.1:{running.port}"
    assert "hello" in (running.root / ".local" / "log" / "worker.log").read_text()


def test_last_command_runs_once_the_web_answers_and_is_heard(start: Start) -> None:
    running = start(
        after="python -c \"import urllib.request as r; print(r.urlopen('http://127.0.0.1:$PORT/healthz').read())\""
    )

    assert eventually(lambda: "b'fine'" in running.said()), running.said()


def test_what_is_said_to_be_ready_can_be_bought(start: Start, root: Path) -> None:
    (root / "stripe_server").mkdir()
    (root / "stripe_server" / "__main__.py").write_text("import time; time.sleep(100)")
    (root / "manage.py").write_text("import time; time.sleep(1.5); open('prices', 'w').write('prices are made')")

    running = start(after="cat prices", STRIPE_API_KEY="")

    assert eventually(lambda: "prices are made" in running.said()), running.said()


def test_verbose_shows_the_output_of_the_processes(start: Start) -> None:
    running = start(VERBOSE="1", GREETING="good-day")

    assert eventually(lambda: "worker   good-day" in running.said()), running.said()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stop_takes_everything_along(start: Start, number: signal.Signals) -> None:
    running = start()
    running.await_ready()
    pids = running.worker_pids()

    running.process.send_signal(number)

    assert running.process.wait(60) == 0
    assert not any(map(is_alive, pids))
    assert is_free(running.port)


def test_killed_process_is_started_again_without_its_orphans(start: Start) -> None:
    running = start()
    running.await_ready()
    worker, orphan = running.worker_pids()

    os.kill(worker, signal.SIGKILL)

    assert eventually(lambda: running.worker_pids() != [worker, orphan])
    assert not is_alive(orphan)
    assert "worker was killed (SIGKILL); again in 0.5 s" in running.said()


def test_killed_supervisor_takes_its_processes_along(start: Start) -> None:
    running = start()
    running.await_ready()
    worker, _ = running.worker_pids()

    running.process.kill()

    assert eventually(lambda: not is_alive(worker) and is_free(running.port))


def test_port_of_another_program_is_named_with_a_way_out(start: Start) -> None:
    port = free_port()
    with subprocess.Popen([sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(port)]) as other:
        assert eventually(lambda: not is_free(port))
        running = start(port)
        code = running.process.wait(60)
        other.kill()

    assert code == 1
    assert f"port {port} is taken" in running.said()
    assert f"PORT={port + 1} make run" in running.said()


def test_second_start_says_where_the_first_one_is(start: Start) -> None:
    first = start()
    first.await_ready()

    second = start()

    assert second.process.wait(60) == 1
    assert f"already running: http://127.0.0.1:{first.port}" in second.said()
    assert first.process.poll() is None


def test_killed_keeper_is_replaced_and_the_engine_stops_with_the_rest(start: Start, root: Path) -> None:
    running = start(REDIS_URL="")
    running.await_ready()
    keeper_path = root / ".local" / "engines" / "valkey.keeper"
    killed = int(keeper_path.read_text())

    os.kill(killed, signal.SIGKILL)

    assert eventually(lambda: engines.status(root / ".local")[1].keeper_pid not in (0, killed))
    running.process.terminate()
    assert running.process.wait(60) == 0
    assert not is_alive(int(keeper_path.read_text()))


def test_failed_migration_ends_the_start_with_its_reason(start: Start, root: Path) -> None:
    (root / "Procfile").write_text("release: sh -c 'echo no such table; exit 3'\nweb: sleep 100\n")

    running = start()

    assert running.process.wait(60) == 1
    assert "no such table" in running.said()
