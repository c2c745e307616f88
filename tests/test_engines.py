"""The embedded engines, with real servers in folders of their own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
import redis

from contentopt import engines
from contentopt.engines.engine import is_free
from contentopt.engines.locks import pid_of
from contentopt.engines.postgres import Postgres
from tests.races.product import eventually

pytestmark = pytest.mark.processes

PROJECT = Path(engines.__file__).resolve().parents[2]
HOLDER = """
import json, sys
from pathlib import Path
from contentopt import engines
from contentopt.engines.engine import is_free

wanted = json.loads(sys.argv[2])
urls = engines.embedded_urls(Path(sys.argv[1]), durable=False, **wanted)
print(json.dumps([urls.owner_database_url, urls.redis_url]), flush=True)
sys.stdin.read()
"""


class Holder:
    """A process that uses the engines until it is told to end, or killed."""

    def __init__(self, local: Path, *, postgres: bool = False, redis: bool = False) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(local), json.dumps({"postgres": postgres, "redis": redis})],
            cwd=PROJECT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def urls(self) -> tuple[str, str]:
        assert self.process.stdout
        database_url, redis_url = json.loads(self.process.stdout.readline())
        return database_url, redis_url

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


Hold = Callable[..., Holder]


def make_local(parent: Path) -> Path:
    """A folder whose path is long, has spaces and is not ASCII."""
    folder = parent / ("a shop's löng folder " * 6).strip() / ".local"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Path]:
    folder = make_local(tmp_path)
    yield folder
    engines.stop(folder)


@dataclass(frozen=True)
class Pair:
    local: Path
    database_url: str
    redis_url: str


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """A running pair for the tests that break nothing, below a folder that is closed to everybody else."""
    folder = make_local(tmp_path_factory.mktemp("pair"))
    folder.parent.chmod(0o700)
    holder = Holder(folder, postgres=True, redis=True)
    yield Pair(folder, *holder.urls())
    holder.end()
    engines.stop(folder)


@pytest.fixture
def hold(local: Path) -> Iterator[Hold]:
    holders: list[Holder] = []

    def start(**wanted: bool) -> Holder:
        holders.append(Holder(local, **wanted))
        return holders[-1]

    yield start
    for holder in holders:
        holder.end()


def server_pid(local: Path, name: str) -> int:
    return pid_of(local / "engines" / f"{name}.server")


def keeper_pid(local: Path, name: str) -> int:
    return next(state.keeper_pid for state in engines.status(local) if state.name == name)


def is_running(local: Path, name: str) -> bool:
    return next(state.running for state in engines.status(local) if state.name == name)


def is_alive(pid: int) -> bool:
    """A zombie, which some systems' first process is slow to reap, is not."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(state.strip()) and not state.startswith("Z")


def fetch(database_url: str, query: str) -> object:
    with psycopg.connect(database_url) as connection:
        row = connection.execute(query).fetchone()
    return row[0] if row else None


def write(redis_url: str, key: str, value: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.set(key, value)


def read(redis_url: str, key: str) -> object:
    with redis.Redis.from_url(redis_url, decode_responses=True) as client:
        return client.get(key)


def test_engines_stop_with_their_last_user_and_come_back_with_their_data(local: Path, hold: Hold) -> None:
    first = hold(postgres=True, redis=True)
    database_url, redis_url = first.urls()
    with psycopg.connect(database_url) as connection:
        connection.execute("CREATE TABLE shop AS SELECT 'Straße' AS name")
    write(redis_url, "shop", "open")
    servers = [server_pid(local, name) for name in ("postgres", "valkey")]

    first.end()
    assert eventually(lambda: not any(map(is_alive, servers)))

    assert hold(postgres=True, redis=True).urls() == (database_url, redis_url)
    assert fetch(database_url, "SELECT name FROM shop") == "Straße"
    assert read(redis_url, "shop") == "open"


def test_owner_is_no_superuser_and_can_create_test_databases(pair: Pair) -> None:
    with psycopg.connect(pair.database_url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE test_contentopt")
        connection.execute("CREATE EXTENSION pg_trgm")
        is_superuser = connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
    assert is_superuser == (False,)
    assert fetch(pair.database_url, "SELECT current_setting('server_encoding')") == "UTF8"


def test_application_has_a_role_of_its_own_which_makes_nothing(pair: Pair) -> None:
    application = Postgres(pair.local).url()
    assert fetch(application, "SELECT current_user::text") == "contentopt_app"
    for refused in ("CREATE TABLE shop ()", "CREATE DATABASE another", "SET ROLE contentopt"):
        with (
            psycopg.connect(application, autocommit=True) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute(refused)


def test_data_from_before_there_were_two_roles_get_the_second(local: Path, hold: Hold) -> None:
    first = hold(postgres=True)
    database_url, _ = first.urls()
    with psycopg.connect(database_url) as connection:
        connection.execute("CREATE TABLE shop AS SELECT 'open' AS state")
    first.end()
    engines.stop(local)
    engine = Postgres(local)
    alone(engine, "DROP ROLE contentopt_app")
    (engine.data / "pg_hba.conf").write_text("host all contentopt 127.0.0.1/32 scram-sha-256\n")

    assert hold(postgres=True).urls()[0] == database_url
    assert fetch(database_url, "SELECT state FROM shop") == "open"
    assert fetch(engine.url(), "SELECT current_user::text") == "contentopt_app"


def alone(engine: Postgres, statement: str) -> None:
    """As the superuser, who has no other way in than while the server is down."""
    engine._execute(engine.data, engine._account(engine.data), statement)


SETTINGS = {"DJANGO_SETTINGS_MODULE": "contentopt.settings", "DATABASE_URL": "", "REDIS_URL": ""}


def test_nothing_serves_as_a_role_that_no_policy_binds(local: Path, hold: Hold) -> None:
    first = hold(postgres=True, redis=True)
    first.urls()
    first.end()
    engines.stop(local)
    alone(Postgres(local), "ALTER ROLE contentopt_app BYPASSRLS")
    hold(postgres=True, redis=True).urls()
    serving = [["-c", "import contentopt.rsgi"], ["manage.py", "clock"]]
    serving += [["-m", "celery", "-A", "contentopt", "worker", "-P", "solo", "-Q", "nothing"]]

    for arguments in serving:
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=PROJECT,
            env={**os.environ, "CONTENTOPT_LOCAL": str(local), "DEBUG": "true", **SETTINGS},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 1, arguments
        assert "ContentOpt does not serve: DATABASE_URL signs in as" in done.stderr


def test_nobody_gets_in_without_the_password(pair: Pair) -> None:
    files = [pair.local / "engines" / f"{name}.json" for name in ("postgres", "valkey")]
    of_postgres, of_valkey = (json.loads(file.read_text())["password"] for file in files)

    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(pair.database_url.replace(of_postgres, "guess"))
    with pytest.raises(psycopg.OperationalError, match="no pg_hba"):
        psycopg.connect(pair.database_url.replace(f"contentopt:{of_postgres}", "postgres:guess"))
    with pytest.raises(redis.AuthenticationError):
        write(pair.redis_url.replace(of_valkey, "guess"), "key", "value")
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


def test_killed_valkey_is_back_with_its_data(local: Path, hold: Hold) -> None:
    _, redis_url = hold(redis=True).urls()
    write(redis_url, "job", "17")
    killed = server_pid(local, "valkey")

    os.kill(killed, signal.SIGKILL)

    assert eventually(lambda: server_pid(local, "valkey") not in (0, killed) and is_running(local, "valkey"), seconds=3)
    assert read(redis_url, "job") == "17"


def test_killed_postgres_is_back_with_its_data(local: Path, hold: Hold) -> None:
    database_url, _ = hold(postgres=True).urls()
    with psycopg.connect(database_url) as connection:
        connection.execute("CREATE TABLE job AS SELECT 17 AS id")
    killed = server_pid(local, "postgres")

    os.kill(killed, signal.SIGKILL)

    assert eventually(lambda: server_pid(local, "postgres") not in (0, killed) and is_running(local, "postgres"))
    assert fetch(database_url, "SELECT id FROM job") == 17


def test_killed_keeper_is_replaced_at_the_next_start(local: Path, hold: Hold) -> None:
    database_url, redis_url = hold(postgres=True, redis=True).urls()
    write(redis_url, "job", "17")
    servers = [server_pid(local, name) for name in ("postgres", "valkey")]

    for name in ("postgres", "valkey"):
        os.kill(keeper_pid(local, name), signal.SIGKILL)

    assert hold(postgres=True, redis=True).urls() == (database_url, redis_url)
    assert not any(map(is_alive, servers))
    assert fetch(database_url, "SELECT 1") == 1
    assert read(redis_url, "job") == "17"


def test_killed_first_start_leaves_nothing_in_the_way(local: Path, hold: Hold) -> None:
    (local / "postgres.draft").mkdir()
    (local / "postgres.draft" / "PG_VERSION").write_text("18")

    database_url, _ = hold(postgres=True).urls()

    assert fetch(database_url, "SELECT 1") == 1


def test_processes_that_start_together_share_one_server(local: Path, hold: Hold) -> None:
    together = [hold(redis=True) for _ in range(3)]

    assert len({holder.urls() for holder in together}) == 1
    server = server_pid(local, "valkey")
    together[0].end()
    together[1].end()
    engines.release(local)  # nothing of ours: only asks the keeper to stop now if nobody is left
    time.sleep(0.5)
    assert server_pid(local, "valkey") == server
    assert is_running(local, "valkey")


def test_port_taken_by_another_program_is_changed(local: Path, hold: Hold) -> None:
    first = hold(redis=True)
    _, redis_url = first.urls()
    write(redis_url, "job", "17")
    first.end()
    engines.stop(local)
    access = json.loads((local / "engines" / "valkey.json").read_text())

    with subprocess.Popen([sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(access["port"])]) as other:
        assert eventually(lambda: not is_free(access["port"]))
        _, changed_url = hold(redis=True).urls()
        other.kill()

    assert changed_url != redis_url
    assert read(changed_url, "job") == "17"


def test_lost_access_file_gets_a_new_password_and_keeps_the_data(local: Path, hold: Hold) -> None:
    first = hold(postgres=True)
    database_url, _ = first.urls()
    with psycopg.connect(database_url) as connection:
        connection.execute("CREATE TABLE job AS SELECT 17 AS id")
    first.end()
    engines.stop(local)
    (local / "engines" / "postgres.json").unlink()

    changed_url, _ = hold(postgres=True).urls()

    assert changed_url != database_url
    assert fetch(changed_url, "SELECT id FROM job") == 17


def test_only_the_wanted_engine_starts(local: Path, hold: Hold) -> None:
    database_url, redis_url = hold(redis=True).urls()

    assert database_url == ""
    assert redis_url.startswith("redis://")
    assert not (local / "postgres").exists()


def test_start_that_can_not_succeed_says_why(local: Path) -> None:
    (local / "valkey").write_text("a file where the data folder should be")

    with pytest.raises(engines.EnginesError, match="valkey"):
        engines.embedded_urls(local, postgres=False, redis=True)
    engines.release(local)


def test_keepers_do_not_load_the_settings_that_start_them() -> None:
    source = "import sys, contentopt.engines; sys.exit('contentopt.settings' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", source], cwd=PROJECT, check=False).returncode == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can hand PostgreSQL to another user")
def test_root_runs_postgres_as_another_user_and_leaves_folders_above_alone(pair: Pair) -> None:
    server = Path("/proc") / str(server_pid(pair.local, "postgres"))
    above = pair.local.parent.stat()

    assert server.stat().st_uid != 0
    assert (above.st_uid, above.st_mode & 0o777) == (0, 0o700)
