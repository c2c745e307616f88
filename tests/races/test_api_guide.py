"""The programs of the API's guide, run as they are printed, against the running product."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from shutil import which

import pytest

from generation.views.guide import EXAMPLES, LANGUAGES, code_of
from tests.factories import make_file
from tests.races.product import Product, eventually

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("product")]

PROGRAMS = {"sh": "sh", "py": sys.executable, "mjs": "node"}
# What each says at least, when it does what it says it does.
SAID = {
    "describe": "Linen Apron",
    "bulk": "Oak Board",
    "run": "Garden Bench",
    "pages": "Steel Ladle",
    "edit": "Read, then changed",
}


@pytest.fixture(scope="module")
def shop(running_product: Product) -> tuple[str, str]:
    """The key of a workspace, and a product of it that has a text."""
    product = running_product
    product.provider.reset()  # of what another test had it do
    key = product.create_key("Guide")
    catalogue = product.import_file(key, make_file())
    run = product.call(key, "POST", "runs", json={"catalogue": catalogue}).json()
    assert eventually(lambda: product.call(key, "GET", f"runs/{run['id']}").json()["state"] == "finished", 60)
    return key, product.call(key, "GET", "products").json()["results"][0]["id"]


@pytest.mark.parametrize("ending", LANGUAGES)
@pytest.mark.parametrize("name", [example.name for example in EXAMPLES])
def test_program_of_the_guide_runs_and_does_what_it_says(
    product: Product, shop: tuple[str, str], tmp_path: Path, name: str, ending: str
) -> None:
    if ending == "mjs" and not os.environ.get("REQUIRE_NODE") and not which("node"):
        pytest.skip("there is no Node here")
    key, product_id = shop
    code = code_of(name, ending, url=f"{product.url}/api/v1", product=product_id)
    assert key not in code
    program = tmp_path / f"example.{ending}"
    program.write_text(code)

    ran = subprocess.run(
        [PROGRAMS[ending], str(program)],
        cwd=tmp_path,
        env={**os.environ, "CONTENTOPT_API_KEY": key},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ran.returncode == 0, ran.stderr
    assert SAID[name] in ran.stdout
