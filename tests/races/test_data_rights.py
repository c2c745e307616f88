"""The worker is killed in the middle of an archive, and of an erasure: both come to their end, whole."""

from __future__ import annotations

import io
import json
from zipfile import ZipFile

import pytest

from tests.factories import make_file, numbered_rows
from tests.races.product import Product, eventually

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("product"), pytest.mark.timeout(240)]

PRODUCTS = 6_000
END_SECONDS = 90
DUE = """
INSERT INTO accounts_deletion (id, workspace_id, state, attempt, failure, created_at, erases_at, next_run_at)
SELECT gen_random_uuid(), workspace_id, 'queued', 0, '', now(), now() - interval '1 day', now()
  FROM generation_catalogue WHERE id = %s RETURNING workspace_id, id
"""


TABLES = "SELECT table_name FROM information_schema.columns WHERE column_name = 'workspace_id'"
ROWS = 'SELECT t::text FROM "{table}" t WHERE workspace_id = %s ORDER BY 1'


def rows_of(product: Product, workspace_id: object) -> dict[str, list[str]]:
    """All of a workspace's rows, by table."""
    tables = [table for (table,) in product.fetch(TABLES)]
    return {table: [row for (row,) in product.fetch(ROWS.format(table=table), workspace_id)] for table in tables}


def test_an_archive_and_an_erasure_survive_the_death_of_their_worker(product: Product) -> None:
    key, other_key = product.create_key("Linden Tools"), product.create_key("Maple Tools")
    catalogue = product.import_file(key, make_file(numbered_rows(PRODUCTS)))
    other = product.import_file(other_key, make_file())

    accepted = product.call(key, "POST", "archives", json={}).json()
    path = f"archives/{accepted['id']}"

    def percent() -> int:
        return int(product.call(key, "GET", path).json()["percent"])

    assert eventually(lambda: percent() > 1, END_SECONDS, pause=0.02)
    assert percent() < 100, "too fast to be killed in the middle"
    product.kill("bulk")
    assert eventually(lambda: product.call(key, "GET", path).json()["state"] == "done", END_SECONDS)
    (attempt,) = product.fetch("SELECT attempt FROM accounts_archive WHERE id = %s", accepted["id"])[0]
    assert attempt > 1
    with ZipFile(io.BytesIO(product.call(key, "GET", f"{path}/file").content)) as archive:
        assert archive.testzip() is None
        products = [json.loads(line) for line in archive.read("tables/generation_product.jsonl").splitlines()]
    assert len({row["id"] for row in products}) == PRODUCTS

    ((other_workspace,),) = product.fetch("SELECT workspace_id FROM generation_catalogue WHERE id = %s", other)
    before = rows_of(product, other_workspace)
    ((workspace, deletion),) = product.fetch(DUE, catalogue)

    def left() -> int:
        return int(product.fetch("SELECT count(*) FROM generation_product WHERE workspace_id = %s", workspace)[0][0])

    assert eventually(lambda: left() < PRODUCTS, END_SECONDS, pause=0.02)
    assert left() > 0, "too fast to be killed in the middle"
    product.kill("bulk")
    assert eventually(
        lambda: not product.fetch("SELECT FROM accounts_workspace WHERE id = %s", workspace), END_SECONDS
    ), product.fetch("SELECT state, attempt, failure FROM accounts_deletion WHERE id = %s", deletion)

    assert {table: rows for table, rows in rows_of(product, workspace).items() if rows} == {}
    assert rows_of(product, other_workspace) == before
    assert product.call(key, "GET", "texts").status_code == 401
