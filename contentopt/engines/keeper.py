"""The keeper of one engine: start it, restart it when it dies, stop it when nobody uses it any more."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable
from types import FrameType

from contentopt.engines.engine import LOG_BYTES, Engine, EnginesError
from contentopt.engines.locks import pid_of, sign, try_lock

TICK_SECONDS = 0.1
GRACE_SECONDS = 2.0  # between two commands in a row the engine stays up
STOP_SECONDS = 10.0
PREDECESSOR_SECONDS = 20.0
ATTEMPTS = 5  # deaths in a row of a server that has never answered; afterwards there is no giving up


def keep(engine: Engine, announce: Callable[[], None]) -> None:
    """Keep the engine until nobody holds it or SIGTERM arrives; returns at once when it has a keeper already.

    `announce` is called when the engine answers for the first time. Raises EnginesError when it never does.
    """
    keeper = Keeper(engine, announce)
    keeper.listen()
    keeping = try_lock(engine.keeper_path)
    if keeping is not None:
        sign(keeping, os.getpid())
        keeper.run()


class Keeper:
    def __init__(self, engine: Engine, announce: Callable[[], None]) -> None:
        self.engine = engine
        self.announce = announce
        self.stopping = False
        self.ready: int | None = None  # the lock that tells it
        self.announced = False
        self.deaths = 0
        self.held_at = time.monotonic()

    def run(self) -> None:
        _turn_log(self.engine)
        server = self._start()
        while self._is_wanted():
            if server.poll() is not None:
                server = self._restart(server.returncode)
            elif self.ready is None:
                self._announce_if_ready()
            time.sleep(TICK_SECONDS if self.ready else TICK_SECONDS / 5)
        self._retract()
        _stop(server, self.engine.stop_signal)

    def _start(self) -> subprocess.Popen[bytes]:
        lock = _inherit(self.engine)
        try:
            return self.engine.start(self.engine.usable_access(), lock)
        finally:
            os.close(lock)  # the server has its copy; the lock lives as long as it and its children do

    def _restart(self, returncode: int) -> subprocess.Popen[bytes]:
        self._retract()
        self.deaths += 1
        if self.deaths >= ATTEMPTS and not self.announced:
            raise EnginesError(f"{self.engine.name} does not start (exit {returncode}):\n{_last_lines(self.engine)}")
        self._note(f"{self.engine.name} ended with {returncode}; starting it again")
        time.sleep(0.1 * 2 ** min(self.deaths - 1, 5))
        return self._start()

    def _announce_if_ready(self) -> None:
        if self.engine.answers():
            # Somebody's look at the lock can make this fail once; the next tick tries again.
            self.ready = try_lock(self.engine.ready_path)
            self.deaths = 0
            self.announced = True
            self.announce()

    def _retract(self) -> None:
        if self.ready is not None:
            os.close(self.ready)
            self.ready = None

    def _is_wanted(self) -> bool:
        """Once False, the exclusive hold stays with this process, so that a newcomer waits until it has gone."""
        hold = try_lock(self.engine.hold_path)
        if hold is None:
            self.held_at = time.monotonic()
        elif not self.stopping and time.monotonic() - self.held_at < GRACE_SECONDS:
            os.close(hold)
        else:
            return False
        return not self.stopping

    def listen(self) -> None:
        def stop(signum: int, frame: FrameType | None) -> None:
            self.stopping = True

        def forgo_grace(signum: int, frame: FrameType | None) -> None:
            self.held_at = 0.0

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGHUP, forgo_grace)
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    def _note(self, text: str) -> None:
        with contextlib.suppress(OSError), self.engine.log_path.open("a") as log:  # a full disk must not end us
            log.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} keeper: {text}\n")


def _inherit(engine: Engine) -> int:
    """The server's lock, once every process of an earlier server is gone.

    Where the system does not tie a server's life to its keeper's, the one left by a killed keeper is stopped here.
    """
    began = time.monotonic()
    signals = [(1.0, engine.stop_signal), (STOP_SECONDS, signal.SIGKILL)]
    while (lock := try_lock(engine.server_path)) is None:
        waited = time.monotonic() - began
        if waited > PREDECESSOR_SECONDS:
            raise EnginesError(f"an earlier {engine.name} (process {pid_of(engine.server_path)}) does not end")
        if signals and waited > signals[0][0]:
            _signal(pid_of(engine.server_path), signals.pop(0)[1])
        time.sleep(TICK_SECONDS / 5)
    sign(lock, 0)
    return lock


def _signal(pid: int, number: signal.Signals) -> None:
    if pid:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return


def _stop(server: subprocess.Popen[bytes], number: signal.Signals) -> None:
    server.send_signal(number)
    try:
        server.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def _turn_log(engine: Engine) -> None:
    if engine.log_path.exists() and engine.log_path.stat().st_size > LOG_BYTES:
        engine.log_path.replace(engine.log_path.with_suffix(".log.1"))


def _last_lines(engine: Engine, count: int = 10) -> str:
    return "\n".join(engine.log_path.read_text(errors="replace").splitlines()[-count:])
