"""A running product is asked what its API's document says, and everything beside it: `python -m tests.contract 600`.

The product is whole (processes, engines, workers) and writes offline. Exits as schemathesis does.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.races.product import Product, eventually, run_product
from tests.servers import ROOT, Provider

HERE = Path(__file__).resolve().parent
OFFLINE = {"ANTHROPIC_API_KEY": "", "WEB_THREADS": "8", "BULK_WORKERS": "1"}
LISTS = ("texts", "products", "catalogues", "runs", "api-keys")
ALL_PHASES = "examples,coverage,fuzzing,stateful"


def rows_of(product: Product, key: str) -> dict[str, Any]:
    """One of everything, so that an id can name something."""
    catalogue = product.import_file(key, (ROOT / "samples" / "sample-shop.csv").read_bytes())
    run = product.call(key, "POST", "runs", json={"catalogue": catalogue}).json()
    eventually(lambda: product.call(key, "GET", f"runs/{run['id']}").json()["state"] == "finished", 60)
    own_key = product.call(key, "GET", "api-keys").json()["results"][0]["id"]
    for number in range(5):
        product.call(key, "POST", "api-keys", json={"name": f"Spare {number}", "scopes": ["read"]})
    rows = {name: [row["id"] for row in product.call(key, "GET", name).json()["results"]] for name in LISTS}
    rows["api-keys"].remove(own_key)
    return {"rows": rows, "own_key": own_key}


def ask(product: Product, key: str, rows: Path, seconds: int, phases: str, *options: str) -> int:
    command = [str(Path(sys.executable).parent / "schemathesis"), "--config-file", str(HERE / "schemathesis.toml")]
    command += ["run", f"{product.url}/api/v1/openapi.json", "--header", f"Authorization: Bearer {key}"]
    command += ["--max-time", str(seconds), "--phases", phases, "--checks", "all"]
    command += ["--generation-database", "none", "--continue-on-failure", *options]
    environment = {**os.environ, "SCHEMATHESIS_HOOKS": "tests.contract.hooks", "CONTRACT_ROWS": str(rows)}
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.contract", description=__doc__)
    parser.add_argument("seconds", type=int, help="for schemathesis; the product's start comes on top")
    parser.add_argument("--phases", default=ALL_PHASES)
    arguments, options = parser.parse_known_args()
    nobody = Provider("http://127.0.0.1:9")
    with (
        tempfile.TemporaryDirectory() as folder,
        run_product(Path(folder), nobody, **OFFLINE) as product,
    ):
        key = product.create_key("Contract")
        rows = Path(folder) / "rows.json"
        rows.write_text(json.dumps(rows_of(product, key)))
        return ask(product, key, rows, arguments.seconds, arguments.phases, *options)


if __name__ == "__main__":
    sys.exit(main())
