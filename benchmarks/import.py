"""Rows per second and peak memory of an import, each size in a process of its own.

    .venv/bin/python -m benchmarks.import            10,000 and 100,000 rows
    .venv/bin/python -m benchmarks.import 5000       other sizes

Prints a table; the memory of the largest file should stay within 20 % of the smallest's.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

SIZES = (10_000, 100_000)
HEADER = (
    "Handle,Title,Body (HTML),Vendor,Type,Tags,Published,Option1 Name,Option1 Value,Option2 Name,Option2 Value,"
    "Variant SKU,Variant Grams,Variant Price,Image Src,SEO Title,SEO Description,"
    "Fabric (product.metafields.shopify.fabric)\r\n"
)
COLORS, SIZES_WORN = ("red", "navy", "olive", "sand"), ("S", "M", "L")
VARIANTS = 4  # rows of one product, as in real exports where about five rows make one product


def rows(count: int) -> Iterator[bytes]:
    """A Shopify export of `count` rows: products with four variants, texts with quotes and line breaks."""
    yield HEADER.encode()
    for n in range(count):
        product, variant = divmod(n, VARIANTS)
        lead = variant == 0
        cells = [
            f"field-jacket-{product}",
            f"Field Jacket {product}" if lead else "",
            f'"<p>Cut from ""waxed"" cotton, item {product}.</p>\n<p>Two pockets.</p>"' if lead else "",
            "Northbound" if lead else "",
            "Jackets" if lead else "",
            '"outdoor, rain"' if lead else "",
            "TRUE" if lead else "",
            "Color" if lead else "",
            COLORS[variant],
            "Size" if lead else "",
            SIZES_WORN[product % 3],
            f"FJ-{product}-{variant}",
            str(700 + product % 90),
            "129.00",
            f"https://cdn.example/{product}.jpg",
            "",
            "",
            "cotton" if lead else "",
        ]
        yield (",".join(cells) + "\r\n").encode()


def measure(count: int) -> None:
    """Import one file in this process and print what it took."""
    os.environ.setdefault("DEBUG", "true")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "contentopt.settings")
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    import django  # noqa: PLC0415 (settings come from the environment above)

    django.setup()
    from accounts.erasing import erase_at_once  # noqa: PLC0415
    from accounts.models import User, Workspace  # noqa: PLC0415
    from accounts.services.workspaces import create_workspace  # noqa: PLC0415
    from contentopt.tenancy import enter_all  # noqa: PLC0415
    from generation.importing import import_catalogue, keep_file  # noqa: PLC0415

    enter_all()
    path = Path(os.environ["CONTENTOPT_LOCAL"]) / f"rows-{count}.csv"
    with path.open("wb") as file:
        file.writelines(rows(count))
    owner = User.objects.get_or_create(email="import@benchmark.example")[0]
    workspace: Workspace = create_workspace(owner=owner, name="Import benchmark", plan="internal")
    idle = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    begun = time.perf_counter()
    with path.open("rb") as upload:
        catalogue = keep_file(workspace=workspace, upload=upload, filename=path.name)
    import_catalogue(catalogue.pk)
    seconds = time.perf_counter() - begun
    catalogue.refresh_from_db()
    assert catalogue.row_count == count, (catalogue.status, catalogue.format_reason)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    result = {
        "rows": count,
        "megabytes": path.stat().st_size / 1e6,
        "products": catalogue.product_count,
        "seconds": seconds,
        "idle_mb": idle,
        "peak_mb": peak,
    }
    erase_at_once(workspace)
    path.unlink()
    print(json.dumps(result))


def main(sizes: tuple[int, ...]) -> None:
    local = Path(os.environ.setdefault("CONTENTOPT_LOCAL", "/tmp/contentopt-benchmark"))  # noqa: S108 (own data folder)
    local.mkdir(exist_ok=True)
    os.environ.setdefault("DEBUG", "true")
    subprocess.run([sys.executable, "manage.py", "migrate", "--noinput", "-v", "0"], check=True)
    results = []
    for size in sizes:
        output = subprocess.run(
            [sys.executable, "-m", "benchmarks.import", "--one", str(size)], check=True, capture_output=True, text=True
        )
        results.append(json.loads(output.stdout.splitlines()[-1]))
    print(f"{'rows':>8} {'MB':>6} {'products':>9} {'seconds':>8} {'rows/s':>7} {'idle MB':>8} {'peak MB':>8}")
    for r in results:
        print(
            f"{r['rows']:>8} {r['megabytes']:>6.1f} {r['products']:>9} {r['seconds']:>8.1f} "
            f"{r['rows'] / r['seconds']:>7.0f} {r['idle_mb']:>8.0f} {r['peak_mb']:>8.0f}"
        )
    print(f"peak memory, largest against smallest file: {results[-1]['peak_mb'] / results[0]['peak_mb']:.2f}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        measure(int(sys.argv[2]))
    else:
        main(tuple(int(size) for size in sys.argv[1:]) or SIZES)
