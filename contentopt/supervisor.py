"""`python -m contentopt.supervisor`: everything in the Procfile on one machine, with its engines, until Ctrl-C.

Starts the processes, restarts those that die, and stops all it started. Their output goes to files; the terminal shows
the steps of the start, the address, and later only deaths. `VERBOSE=1` shows everything.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import os
import re
import secrets
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import environ

from contentopt import engines
from contentopt.engines.children import child_setup
from contentopt.engines.engine import LOG_BYTES, free_port, is_free
from contentopt.engines.locks import try_lock

ROOT = Path(__file__).resolve().parent.parent
TICK_SECONDS = 0.1
STOP_SECONDS = 10.0  # from TERM to KILL
ENGINES_STOP_SECONDS = 15.0
ENGINES_RETRY_SECONDS = 5.0
PORT_SECONDS = 2.0  # the last web process may still be letting go of it
READY_SECONDS = 60.0
BEHIND_SECONDS = 3.0
PRICES_SECONDS = 30.0
FIRST_BACKOFF, LAST_BACKOFF = 0.5, 10.0
STEADY_SECONDS = 20.0  # whoever lived so long is restarted without delay when it dies
COLORS = (36, 33, 32, 35, 34)


class CannotStart(Exception):
    """Said to the person who started us, in their words."""


def read_procfile(path: Path) -> dict[str, str]:
    lines = (re.match(r"([\w-]+):\s*(.+)", line) for line in path.read_text().splitlines())
    return {match[1]: match[2] for match in lines if match}


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


@dataclass(slots=True)
class Child:
    """One line of the Procfile, as a process group of its own, restarted with a growing delay."""

    name: str
    command: str
    log_path: Path
    root: Path
    is_once: bool = False  # a success is not followed by another start
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_at: float = 0.0
    backoff: float = field(default=FIRST_BACKOFF)
    shown: int = 0  # bytes of the log that the terminal has seen

    @property
    def is_done(self) -> bool:
        return self.is_once and self.process is not None and self.process.poll() == 0

    def start(self) -> None:
        if self.log_path.exists() and self.log_path.stat().st_size > LOG_BYTES:
            self.log_path.replace(self.log_path.with_suffix(".log.1"))
        with self.log_path.open("ab") as log:
            self.shown = log.tell()
            self.process = spawn(self.command, self.root, log.fileno())
        self.started_at = time.monotonic()

    def tend(self) -> None:
        """Notice a death, and start again when the delay is over."""
        if self.process is None:
            if time.monotonic() >= self.start_at:
                self.start()
        elif self.process.poll() is not None and not self.is_done:
            self._bury(self.process)

    def _bury(self, process: subprocess.Popen[bytes]) -> None:
        kill_group(process)  # its orphans would keep its port and its work
        if time.monotonic() - self.started_at > STEADY_SECONDS:
            self.backoff = FIRST_BACKOFF
        say(f"{self.name} {describe_end(process.returncode)}; again in {self.backoff:g} s (log: {self.log_path})")
        self.process = None
        self.start_at = time.monotonic() + self.backoff
        self.backoff = min(self.backoff * 2, LAST_BACKOFF)

    def news(self) -> Iterator[str]:
        if self.process is None:
            return
        with self.log_path.open("rb") as log:
            log.seek(self.shown)
            lines = log.readlines()
        for line in lines:
            if line.endswith(b"\n"):
                self.shown += len(line)
                yield line.decode(errors="replace").rstrip()


def spawn(command: str, root: Path, output: int | None = None) -> subprocess.Popen[bytes]:
    """Through a shell for ${VAR:-default}, which then becomes the command: a kill must hit the command itself."""
    return subprocess.Popen(
        ["/bin/sh", "-c", f"exec {command}"],
        cwd=root,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        process_group=0,  # Ctrl-C reaches us alone
        preexec_fn=child_setup(death_signal=signal.SIGTERM),
    )


def kill_group(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS says "not permitted" of a group of zombies
        os.killpg(process.pid, signal.SIGKILL)


def describe_end(returncode: int) -> str:
    if returncode >= 0:
        return f"ended (exit {returncode})"
    return f"was killed ({signal.Signals(-returncode).name})"


def read_port(text: str) -> int:
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise CannotStart(f"PORT must be a number from 1 to 65535, not {text!r}")
    return int(text)


def kept_port(path: Path) -> int:
    """The same as last time if it is free: pages that were linked to then are still there."""
    kept = int(path.read_text()) if path.exists() else 0
    port = kept if kept and is_free(kept) else free_port()
    path.write_text(str(port))
    return port


def kept_secret(path: Path) -> str:
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(f"whsec_{secrets.token_urlsafe(24)}")
    return path.read_text()


class Supervisor:
    def __init__(self, root: Path, local: Path, after: str) -> None:
        self.root = root
        self.local = local
        self.after = after
        self.verbose = os.environ.get("VERBOSE", "") not in ("", "0")
        self.host = os.environ.get("HOST", "127.0.0.1")
        self.port = read_port(os.environ.setdefault("PORT", "8000"))
        self.embedded = {"postgres": not os.environ.get("DATABASE_URL"), "redis": not os.environ.get("REDIS_URL")}
        self.engines_at = 0.0  # not looked at before then
        # With no key of Stripe's and the stand-in at hand, which a deployment may leave out.
        self.sells_for_show = not os.environ.get("STRIPE_API_KEY") and (root / "stripe_server").is_dir()
        self.has_sold = (local / "stripe" / "state.json").exists()
        self.asked_to_stop = False
        self.children: list[Child] = []

    @property
    def url(self) -> str:
        return f"http://{'127.0.0.1' if self.host in ('0.0.0.0', '::') else self.host}:{self.port}"  # noqa: S104

    def run(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._stop)
        lock = self._only_one()
        try:
            self._begin()
            while not self._is_stopping():
                self._tick()
        finally:
            self._end()
            os.close(lock)

    def _begin(self) -> None:
        self._claim_port()
        self._stand_in_for_stripe()
        commands = read_procfile(self.root / "Procfile")
        self._start_engines()
        release = commands.pop("release", "")
        # Loading the code takes seconds of processor time, so what a person waits for goes first: the web process
        # loads during the migration, and those that work behind it start a little after the last command.
        began = time.monotonic()
        self._add("web", commands.pop("web"))
        self._step("database", release)
        self._await(self._is_healthy)
        self._report("web", f"answers ({time.monotonic() - began:.1f} s)")
        if self.sells_for_show:
            self._add("prices", "python manage.py setup_stripe", is_once=True)
        for name, command in commands.items():
            self._add(name, command, delay=BEHIND_SECONDS if self.after else 0)
        if self.sells_for_show and not self.has_sold:
            self._await_prices()
        if not self._step("", self.after):
            say(f"ready {self.url}")  # the command says so itself, and how to sign in
        if not self._is_stopping():
            say(f"\nCtrl-C stops everything; logs are in {self._short(self.local / 'log')}")

    def _stand_in_for_stripe(self) -> None:
        """Without a key of Stripe's, a server that speaks its API, so that buying can be tried. It remembers."""
        if not self.sells_for_show:
            return
        folder = self.local / "stripe"
        folder.mkdir(exist_ok=True, mode=0o700)
        port, secret = kept_port(folder / "port"), kept_secret(folder / "webhook.secret")
        os.environ["STRIPE_API_KEY"] = "sk_test_no_money_moves_here"
        os.environ["STRIPE_API_BASE"] = f"http://127.0.0.1:{port}"
        os.environ["STRIPE_WEBHOOK_SECRET"] = secret
        webhook, state = f"{self.url}/stripe/webhook", shlex.quote(str(folder / "state.json"))
        command = f"python -m stripe_server --port {port} --state {state} --endpoint {webhook} --secret {secret}"
        self._add("stripe", command)

    def _only_one(self) -> int:
        self.local.mkdir(parents=True, exist_ok=True)
        (self.local / "log").mkdir(exist_ok=True, mode=0o700)
        path = self.local / "supervisor.lock"
        lock = try_lock(path)
        if lock is None:
            raise CannotStart(f"already running: {path.read_text()}")
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{self.url} (process {os.getpid()})".encode(), 0)
        return lock

    def _claim_port(self) -> None:
        deadline = time.monotonic() + PORT_SECONDS
        while not is_free(self.port, self.host):
            if time.monotonic() > deadline:
                free = f"PORT={self.port + 1} make run"
                raise CannotStart(f"port {self.port} is taken by another program; choose another: {free}")
            time.sleep(TICK_SECONDS)

    def _start_engines(self) -> None:
        """Here first, so that they are held for as long as we live; settings then find them running."""
        names = [name for name, key in (("PostgreSQL", "postgres"), ("Valkey", "redis")) if self.embedded[key]]
        if names:
            began = time.monotonic()
            engines.embedded_urls(self.local, **self.embedded)
            where = self._short(self.local)
            self._report("engines", f"{' and '.join(names)} in {where} ({time.monotonic() - began:.1f} s)")

    def _tend_engines(self) -> None:
        """Their keepers restart them; a killed keeper takes its engine along and is replaced from here."""
        if time.monotonic() < self.engines_at or engines.are_kept(self.local, **self.embedded):
            return
        self.engines_at = time.monotonic() + ENGINES_RETRY_SECONDS
        say(f"the keeper of an engine has died; again now (log: {self._short(self.local / 'log')})")
        try:
            engines.embedded_urls(self.local, **self.embedded)
        except engines.EnginesError as error:
            say(str(error))

    def _add(self, name: str, command: str, delay: float = 0, *, is_once: bool = False) -> None:
        log_path, start_at = self.local / "log" / f"{name}.log", time.monotonic() + delay
        self.children.append(Child(name, command, log_path, self.root, is_once, start_at=start_at))

    def _step(self, title: str, command: str) -> bool:
        """Run one command to its end while the processes are looked after. A titled one is silent unless it fails.

        False when there was nothing to run, or it failed in sight.
        """
        if not command or self._is_stopping():
            return False
        began = time.monotonic()
        log_path = self.local / "log" / f"{title}.log"
        with log_path.open("wb") if title else contextlib.nullcontext() as log:
            process = spawn(command, self.root, log.fileno() if log else None)
            while process.poll() is None and not self._is_stopping():
                self._tick()
        if self._is_stopping():
            stop_group([process])
        elif process.returncode and title:
            raise CannotStart(f"{command!r} failed:\n{log_path.read_text(errors='replace')}")
        elif process.returncode:
            say(f"{command!r} failed (exit {process.returncode}): see above")
        elif title:
            self._report(title, f"up to date ({time.monotonic() - began:.1f} s)")
        return process.returncode == 0

    def _await(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not self._is_stopping() and not condition():
            if time.monotonic() > deadline:
                log = self.local / "log" / "web.log"
                last = "\n".join(log.read_text(errors="replace").splitlines()[-20:]) if log.exists() else ""
                raise CannotStart(f"no good answer from {self.url}/healthz; the end of {self._short(log)}:\n{last}")
            self._tick()

    def _await_prices(self) -> None:
        """Who is told that all is ready may buy at once. A set-up that fails is tried again, and holds up nothing."""
        deadline = time.monotonic() + PRICES_SECONDS
        prices = next(child for child in self.children if child.name == "prices")
        while not (self._is_stopping() or prices.is_done) and time.monotonic() < deadline:
            self._tick()

    def _is_healthy(self) -> bool:
        connection = http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=5)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _tick(self) -> None:
        time.sleep(TICK_SECONDS)
        self._tend_engines()
        for child in self.children:
            child.tend()
        if self.verbose:
            self._show_news()

    def _show_news(self) -> None:
        for number, child in enumerate(self.children):
            for line in child.news():
                name = f"{child.name:<9}"
                say(f"\033[{COLORS[number % len(COLORS)]}m{name}\033[0m {line}" if sys.stdout.isatty() else name + line)

    def _is_stopping(self) -> bool:
        return self.asked_to_stop

    def _stop(self, signum: int, frame: FrameType | None) -> None:
        self.asked_to_stop = True

    def _end(self) -> None:
        stop_group([child.process for child in self.children if child.process])
        engines.release(self.local)
        alone = engines.await_stopped(self.local, ENGINES_STOP_SECONDS)
        if not alone:
            say(f"the engines in {self._short(self.local)} stay up for another program that uses them")
        if self.asked_to_stop:
            say("stopped")

    def _report(self, title: str, text: str) -> None:
        say(f"  {title:<10} {text}")

    def _short(self, path: Path) -> str:
        return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)


def stop_group(processes: list[subprocess.Popen[bytes]]) -> None:
    """TERM to each one, which stops its own children in good order; KILL to what is left after that."""
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    while any(process.poll() is None for process in processes) and time.monotonic() < deadline:
        time.sleep(TICK_SECONDS / 2)
    for process in processes:
        kill_group(process)
        process.wait()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m contentopt.supervisor", description=__doc__)
    parser.add_argument("--root", type=Path, default=ROOT, help="the folder of the Procfile")
    parser.add_argument("--after", default="python manage.py seed_demo", help="a command to run once all is up")
    arguments = parser.parse_args()
    environ.Env.read_env(arguments.root / ".env")
    if "SECRET_KEY" not in os.environ:
        os.environ.setdefault("DEBUG", "1")  # a fresh clone has no key; settings refuse that outside of debugging
    # granian, celery and python are those of the environment we run in, active or not.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    local = Path(os.environ.get("CONTENTOPT_LOCAL", arguments.root / ".local")).absolute()
    try:
        Supervisor(arguments.root, local, arguments.after).run()
    except (CannotStart, engines.EnginesError) as error:
        sys.exit(f"\n{error}")


if __name__ == "__main__":
    main()
