"""What the second wall costs a request: row-level security, and the workspace that is sent with each statement.

    .venv/bin/python -m benchmarks.second_wall [requests]

Eight workspaces with 5,000 products each, on engines of its own. The same requests (300 of each) go through the whole
of Django in this process, each three times in turn:

    neither     no policies, statements as Django sends them
    sent        no policies, each statement with its workspace
    both        as the product runs

Prints what each waited, and what processor time it took, here and in PostgreSQL, which tells the truth on a busy
machine too; `more` is what `both` takes beyond `neither`. A request for a known text asks PostgreSQL nothing, so its
figures show how much the machine wavers. `search` reads rows by words within them (ILIKE), which no index serves with
or without policies; what policies make of one that would is printed last: the same search by trigrams.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

FOLDER = tempfile.TemporaryDirectory(prefix="contentopt-second-wall-")
os.environ |= {
    "CONTENTOPT_LOCAL": FOLDER.name,
    "DATABASE_URL": "",
    "REDIS_URL": "",
    "DJANGO_SETTINGS_MODULE": "contentopt.settings",
    "DEBUG": "false",
    "SECRET_KEY": "only-for-a-benchmark",
    "LOG_LEVEL": "ERROR",
    "ALLOWED_HOSTS": "testserver",
    "ANTHROPIC_API_KEY": "",
    "OPENAI_API_KEY": "",
}

import django  # noqa: E402

django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.db.backends.postgresql.base import Cursor  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402

from accounts.models import User, Workspace  # noqa: E402
from accounts.services.keys import issue_key  # noqa: E402
from accounts.services.workspaces import create_workspace  # noqa: E402
from contentopt.database.cursor import WalledCursor  # noqa: E402
from contentopt.engines import stop  # noqa: E402
from contentopt.tenancy import enter_all, outside_workspaces  # noqa: E402
from generation.importing import import_catalogue, keep_file  # noqa: E402
from generation.models import Text  # noqa: E402
from tests.test_architecture import tenant_models  # noqa: E402

WORKSPACES, PRODUCTS, WARM = 8, 5_000, 10
MATERIALS = ("linen", "oak", "stoneware", "steel", "cotton")
MUG = {"product": {"title": "Linen Apron", "attributes": {"Material": "Linen"}}}
SEARCH = "SELECT count(*) FROM generation_product WHERE workspace_id = %s AND title ILIKE '%%0042%%'"


def file_of(number: int) -> bytes:
    lines = (f"W{number}-{n},Keeper {n:05d} of {MATERIALS[n % 5]},{MATERIALS[n % 5]}," for n in range(PRODUCTS))
    return "\n".join(("sku,name,material,description", *lines, "")).encode()


def set_up() -> tuple[Workspace, Client, Client]:
    call_command("migrate", verbosity=0)
    owner = User.objects.create_user("wall@benchmark.example", "a long pass phrase")
    made = [create_workspace(owner=owner, name=f"Wall {number}", plan="internal") for number in range(WORKSPACES)]
    for number, workspace in enumerate(made):
        file = keep_file(workspace=workspace, upload=BytesIO(file_of(number)), filename="products.csv")
        import_catalogue(file.pk)
    as_owner("ANALYZE")
    _, secret = issue_key(workspace=made[0], name="Wall", scopes=["read", "write"])
    page = Client()
    page.force_login(owner, "allauth.account.auth_backends.AuthenticationBackend")
    return made[0], page, Client(headers={"Authorization": f"Bearer {secret}"})


def as_owner(*statements: str) -> None:
    wrapper: Any = connection
    with wrapper.as_owner(), outside_workspaces(), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def open_ways() -> dict[str, Any]:
    """Three connections. The owner's is bound by no policy once that is not forced any more."""
    wrapper: Any = connection
    ways: dict[str, Any] = {}
    for name, cursor in (("neither", Cursor), ("sent", WalledCursor)):
        with wrapper.as_owner():
            ways[name] = detach(cursor)
    ways["both"] = detach(WalledCursor)
    as_owner(*(f"ALTER TABLE {model._meta.db_table} NO FORCE ROW LEVEL SECURITY" for model in tenant_models()))
    return ways


def detach(cursor: type) -> Any:
    connection.ensure_connection()
    opened: Any = connection.connection
    opened.cursor_factory = cursor
    connection.connection = None
    return opened


@dataclass(slots=True)
class Taken:
    """Milliseconds of each request, and all processor time: ours and that of the connection's server process."""

    waited: list[float] = field(default_factory=list)
    worked: float = 0.0

    def each(self) -> float:
        return self.worked / len(self.waited)


def processor_ms(opened: Any) -> float:
    of_server = int(Path(f"/proc/{opened.info.backend_pid}/schedstat").read_text().split()[0])
    return (time.process_time_ns() + of_server) / 1e6


def measure(ask: Callable[[], Any], ways: dict[str, Any], times: int) -> dict[str, Taken]:
    """One way after the other, so that whatever else goes on disturbs all alike."""
    found = {way: Taken() for way in ways}
    for number in range(times + WARM):
        for way, opened in ways.items():
            connection.connection = opened
            worked, began = processor_ms(opened), time.perf_counter()
            ask()
            if number >= WARM:
                found[way].waited.append((time.perf_counter() - began) * 1000)
                found[way].worked += processor_ms(opened) - worked
    return found


def report(name: str, queries: int, found: dict[str, Taken]) -> None:
    waited = " ".join(f"{statistics.median(taken.waited):>8.2f}" for taken in found.values())
    worked = " ".join(f"{taken.each():>8.2f}" for taken in found.values())
    more = found["both"].each() - found["neither"].each()
    part = more / found["neither"].each()
    print(f"{name:<22} {queries:>7} {waited}  {worked} {more:>8.2f} {part:>7.1%}", flush=True)


def search_by_trigrams(workspace: Workspace, ways: dict[str, Any]) -> None:
    def search(explain: str = "") -> Any:
        with connection.cursor() as cursor:
            cursor.execute(explain + SEARCH, [workspace.pk])
            return cursor.fetchall()

    as_owner(
        "CREATE EXTENSION IF NOT EXISTS pg_trgm",
        "CREATE INDEX benchmark_title ON generation_product USING gin (title gin_trgm_ops)",
        "ANALYZE generation_product",
    )
    for name, policies in (("sent", "off"), ("both", "on")):
        connection.connection = ways[name]
        uses = "uses it" if "benchmark_title" in str(search("EXPLAIN ")) else "does not use it"
        taken = measure(search, {name: ways[name]}, 100)[name]
        print(f"a trigram index, policies {policies}: {taken.each():.2f} ms, {uses}")


def main() -> None:
    enter_all()
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "whitenoise" not in name]
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    settings.SECURE_SSL_REDIRECT = False
    workspace, page, api = set_up()
    products = f"/w/{workspace.slug}/products/"
    text = api.post("/api/v1/descriptions", MUG, content_type="application/json").json()["id"]
    assert Text.objects.in_workspace(workspace).filter(pk=text).exists()
    requests: dict[str, Callable[[], Any]] = {
        "page of products": lambda: page.get(products),
        "search on that page": lambda: page.get(products, {"q": "0042"}),
        "API: 25 products": lambda: api.get("/api/v1/products", {"page_size": 25}),
        "API: one text": lambda: api.get(f"/api/v1/texts/{text}"),
        "API: a known text": lambda: api.post("/api/v1/descriptions", MUG, content_type="application/json"),
    }
    queries = {}
    for name, ask in requests.items():
        ask()
        with CaptureQueriesContext(connection) as asked:
            assert ask().status_code == 200, name
        queries[name] = len(asked)
    print(f"{'':<30} {'waited (median)':^26}  {'processor time':^26}")
    print(f"{'ms':<22} {'queries':>7} {'  neither     sent     both ' * 2} {'more':>8}")
    ways = open_ways()
    for name, ask in requests.items():
        report(name, queries[name], measure(ask, ways, times))
    search_by_trigrams(workspace, ways)
    for opened in ways.values():
        opened.close()
    stop(Path(FOLDER.name))


if __name__ == "__main__":
    main()
