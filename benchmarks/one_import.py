"""One import, measured in a process that does nothing else. Started by `benchmarks.import`."""

from __future__ import annotations

import json
import os
import resource
import time
from collections.abc import Iterator
from pathlib import Path

from accounts.erasing import erase_at_once
from accounts.models import User
from accounts.services.workspaces import create_workspace
from contentopt.tenancy import enter_all
from generation.importing import import_catalogue, keep_file

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
    enter_all()
    path = Path(os.environ["CONTENTOPT_LOCAL"]) / f"rows-{count}.csv"
    with path.open("wb") as file:
        file.writelines(rows(count))
    owner = User.objects.get_or_create(email="import@benchmark.example")[0]
    workspace = create_workspace(owner=owner, name="Import benchmark", plan="internal")
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
