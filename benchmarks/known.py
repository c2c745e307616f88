"""What is written once is free afterwards, however the shop spells it the next time.

    .venv/bin/python -m benchmarks.known

Describes a catalogue of 200 invented products, then the same products again: the same file, the file with its columns
in another order, other letter case and other spelling of units, and the file with another weight in every product.
Prints model calls for each; the offline writer serves, so the calls are counted and priced, not paid.
"""

from __future__ import annotations

import csv
import io
import os
import sys

os.environ.setdefault("CONTENTOPT_LOCAL", "/tmp/contentopt-benchmark")  # noqa: S108 (own data folder)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "contentopt.settings")
os.environ["DEBUG"] = "true"
os.environ["LOG_LEVEL"] = "WARNING"
os.environ["ANTHROPIC_API_KEY"] = os.environ["OPENAI_API_KEY"] = ""

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db.models import QuerySet  # noqa: E402

from accounts.erasing import erase_at_once  # noqa: E402
from accounts.models import User, Workspace  # noqa: E402
from accounts.services.workspaces import create_workspace  # noqa: E402
from contentopt.tenancy import enter_all  # noqa: E402
from generation.engine.items import write_item  # noqa: E402
from generation.engine.storing import default_wishes  # noqa: E402
from generation.importing import import_catalogue, keep_file  # noqa: E402
from generation.llm.prices import PRICES  # noqa: E402
from generation.models import LlmCall, Product  # noqa: E402
from generation.services.runs import start_run  # noqa: E402

PRODUCTS = 200
MATERIALS = ("linen", "oak", "stoneware", "stainless steel", "cotton")
COLORS = ("sand", "olive", "navy", "white")
# A typical description: 900 tokens in, 250 out.
INPUT_TOKENS, OUTPUT_TOKENS = 900, 250
Row = dict[str, str]


def first_file() -> list[Row]:
    return [
        {
            "sku": f"K-{n}",
            "name": f"Keeper {n}",
            "material": MATERIALS[n % 5],
            "color": COLORS[n % 4],
            "weight": f"{180 + n} g",
            "capacity": f"{500 + 10 * n} ml",
            "description": "",
        }
        for n in range(PRODUCTS)
    ]


def respelt(row: Row) -> Row:
    grams, millilitres = int(row["weight"].split()[0]), int(row["capacity"].split()[0])
    return {
        "description": "",
        "Capacity": f"{millilitres / 1000:g} L",
        "Weight": f"{grams / 1000:g} kg",
        "Colour": row["color"].upper(),
        "Material": f"  {row['material'].title()} ",
        "name": row["name"].upper(),
        "sku": row["sku"],
    }


def changed(row: Row) -> Row:
    return {**row, "weight": f"{int(row['weight'].split()[0]) + 1} g"}


def as_csv(rows: list[Row]) -> bytes:
    target = io.StringIO()
    writer = csv.DictWriter(target, rows[0])
    writer.writeheader()
    writer.writerows(rows)
    return target.getvalue().encode()


def calls_for(workspace: Workspace, content: bytes) -> int:
    before = LlmCall.objects.in_workspace(workspace).count()
    catalogue = keep_file(workspace=workspace, upload=io.BytesIO(content), filename="keepers.csv")
    import_catalogue(catalogue.pk)
    products: QuerySet[Product] = Product.objects.in_workspace(workspace).filter(catalogue=catalogue)
    assert products.count() == PRODUCTS
    run = start_run(workspace=workspace, products=products, wishes=default_wishes(["description"]), catalogue=catalogue)
    for item in run.items.all():
        write_item(item.pk, publish_next=False)
    run.refresh_from_db()
    assert run.state == run.State.FINISHED
    return LlmCall.objects.in_workspace(workspace).count() - before


def main() -> None:
    enter_all()
    call_command("migrate", verbosity=0)
    owner = User.objects.get_or_create(email="known@benchmark.example")[0]
    workspace = create_workspace(owner=owner, name="Known benchmark", plan="internal")
    rows = first_file()
    files = {
        "first time": rows,
        "same file again": rows,
        "other order, case and units": [respelt(row) for row in rows],
        "another weight in each": [changed(row) for row in rows],
    }
    price = next(spec.price for spec in PRICES if spec.model_id == "claude-haiku-5-5")
    assert price is not None
    nanos_each = (INPUT_TOKENS * price.input + OUTPUT_TOKENS * price.output) // 1_000_000
    sys.stdout.write(f"{PRODUCTS} products{'':>20} model calls   on claude-haiku-5-5\n")
    for name, content in files.items():
        calls = calls_for(workspace, as_csv(content))
        sys.stdout.write(f"{name:<30} {calls:>12} {calls * nanos_each / 1e9:>16.5f} USD\n")
    erase_at_once(workspace)


if __name__ == "__main__":
    main()
