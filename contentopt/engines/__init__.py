"""The embedded engines: real PostgreSQL and Valkey, started when no address is given.

Each engine has one keeper, a detached process that starts the server, restarts it when it dies, and stops it when
nobody holds the engine any more. A user holds an engine by a shared lock on a file, which the kernel releases however
the user dies; so nothing is left running, and nothing has to be cleaned up.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from contentopt.engines.engine import Engine, EnginesError
from contentopt.engines.locks import is_locked, lock_shared, pid_of, unlock
from contentopt.engines.postgres import Postgres
from contentopt.engines.valkey import Valkey

__all__ = [
    "EngineStatus",
    "EngineUrls",
    "EnginesError",
    "are_kept",
    "await_stopped",
    "embedded_urls",
    "release",
    "status",
    "stop",
]

START_SECONDS = 60
STOP_SECONDS = 30

# Open for the life of this process, and of the children it forks; never inherited through exec.
_held: dict[Path, int] = {}


@dataclass(frozen=True, slots=True)
class EngineUrls:
    database_url: str
    redis_url: str
    owner_database_url: str = ""


@dataclass(frozen=True, slots=True)
class EngineStatus:
    name: str
    running: bool
    port: int
    keeper_pid: int


def embedded_urls(local: Path, *, postgres: bool, redis: bool, durable: bool = True) -> EngineUrls:
    """Addresses of running engines with their data in `local`, held until this process ends.

    An engine that is not asked for has the address "". `durable=False` trades safety against power cuts for speed;
    the one who starts an engine decides.
    """
    database, cache = Postgres(local, durable=durable), Valkey(local, durable=durable)
    wanted = _wanted((database, postgres), (cache, redis))
    try:
        for engine in wanted:
            _hold(engine)
        _await(wanted)
    except PermissionError as error:
        message = f"{error.filename} belongs to another user: start as that user, or remove {local}"
        raise EnginesError(message) from error
    return EngineUrls(
        database_url=database.url() if postgres else "",
        redis_url=cache.url() if redis else "",
        owner_database_url=database.owner_url() if postgres else "",
    )


def are_kept(local: Path, *, postgres: bool, redis: bool) -> bool:
    """Whether the keepers live; a long-lived user whose keeper was killed calls `embedded_urls` again."""
    wanted = _wanted((Postgres(local), postgres), (Valkey(local), redis))
    return all(is_locked(engine.keeper_path) for engine in wanted)


def release(local: Path) -> None:
    """Give up what this process holds; an engine that nobody else holds stops at once."""
    for engine in _engines(local):
        descriptor = _held.pop(engine.hold_path, None)
        if descriptor is not None:
            unlock(descriptor)
        _signal_keeper(engine, signal.SIGHUP)


def stop(local: Path) -> None:
    """Stop both engines whoever holds them, and return when they are gone."""
    release(local)
    for engine in _engines(local):
        _signal_keeper(engine, signal.SIGTERM)
    await_stopped(local)


def await_stopped(local: Path, seconds: float = STOP_SECONDS) -> bool:
    """True when every keeper has gone within `seconds`."""
    deadline = time.monotonic() + seconds
    while any(is_locked(engine.keeper_path) for engine in _engines(local)):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def status(local: Path) -> list[EngineStatus]:
    """What runs in `local`; starts and creates nothing."""
    return [_status(engine) for engine in _engines(local)]


def _engines(local: Path) -> tuple[Engine, ...]:
    return Postgres(local), Valkey(local)


def _wanted(*engines: tuple[Engine, bool]) -> list[Engine]:
    return [engine for engine, is_wanted in engines if is_wanted]


def _signal_keeper(engine: Engine, number: signal.Signals) -> None:
    if is_locked(engine.keeper_path) and (pid := pid_of(engine.keeper_path)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _complaint(launcher: subprocess.Popen[str]) -> str:
    try:
        return launcher.communicate(timeout=START_SECONDS)[1].strip()
    except subprocess.TimeoutExpired:
        launcher.kill()
        launcher.communicate()
        return f"{launcher.args!r} took more than {START_SECONDS} s"


def _is_running(engine: Engine) -> bool:
    """Its keeper says so and it is true: a server that answers may be one that its killed keeper takes along."""
    return is_locked(engine.ready_path) and engine.answers()


def _status(engine: Engine) -> EngineStatus:
    access = engine.read_access()
    kept = is_locked(engine.keeper_path)
    return EngineStatus(
        name=engine.name,
        running=_is_running(engine),
        port=access.port if access else 0,
        keeper_pid=pid_of(engine.keeper_path) if kept else 0,
    )


def _hold(engine: Engine) -> None:
    if engine.hold_path not in _held:
        engine.make_folders()
        # Waits while a keeper is on its way out, so a start can not meet an engine that is about to stop.
        _held[engine.hold_path] = lock_shared(engine.hold_path)


def _await(engines: Sequence[Engine]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while pending := [engine for engine in engines if not _is_running(engine)]:
        if time.monotonic() > deadline:
            names = ", ".join(engine.name for engine in pending)
            raise EnginesError(f"{names} did not start in {START_SECONDS} s; see {engines[0].local / 'log'}")
        _launch_keepers([engine for engine in pending if not is_locked(engine.keeper_path)])
        time.sleep(0.05)


def _launch_keepers(engines: Sequence[Engine]) -> None:
    """Start the keepers side by side; each launcher ends when its engine answers, or says why it can not."""
    root = Path(__file__).resolve().parents[2]
    launchers = [
        subprocess.Popen(
            [sys.executable, "-m", "contentopt.engines", *engine.keeper_arguments()],
            cwd=root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )
        for engine in engines
    ]
    complaints = [_complaint(launcher) for launcher in launchers]
    failed = [text for text, launcher in zip(complaints, launchers, strict=True) if launcher.returncode]
    if failed:
        raise EnginesError("\n".join(failed))
