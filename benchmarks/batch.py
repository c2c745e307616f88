"""A run of 1,000 products by batch on the whole product, its workers killed at every stage.

    .venv/bin/python -m benchmarks.batch [--products 1000]

Prints what was killed and when, what it cost against the usual price, and whether the ledger says what the provider's
own meter does.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from accounts.dollars import usd
from tests.races.batch_kills import Report, assert_run_cost_what_was_served, run_and_kill_at_every_stage
from tests.races.product import run_product
from tests.servers import run_provider


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", type=int, default=1_000)
    products = parser.parse_args().products
    with (
        tempfile.TemporaryDirectory() as folder,
        run_provider() as provider,
        run_product(Path(folder), provider) as product,
    ):
        report = run_and_kill_at_every_stage(product, product.create_key("Benchmark"), products)
        show(report, products)
        assert_run_cost_what_was_served(product, report)
        sizes = [batch["size"] for batch in provider.meter()["batches"]]
        print(f"the provider's meter: {report.served} texts served in batches of {sizes}, none twice; ledger equal")


def show(report: Report, products: int) -> None:
    print(f"killed while: {', '.join(report.kills)}")
    print(f"{report.done} of {products} written, {report.failed} failed, {report.seconds:.0f} s from start to end")
    print(f"announced: at most ${report.ceiling_usd}; at once it would have been ${report.usual_ceiling_usd}")
    print(f"cost {usd(report.cost_nanos)}, at once {usd(report.cost_nanos + report.saved_nanos)}")


if __name__ == "__main__":
    main()
