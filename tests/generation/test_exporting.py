from __future__ import annotations

import csv
import io

import pytest

from accounts.models import Workspace
from generation.exporting import export_file, export_name, product_changes, target_columns, written_products
from generation.models import Catalogue, Product
from generation.services.texts import edit_text
from tests.factories import make_catalogue

pytestmark = pytest.mark.django_db

HEADER = "Handle,Title,Body (HTML),Vendor,Type,Tags,Variant SKU,SEO Title,SEO Description\r\n"
ROWS = [
    "mug,Stone Mug,,Larch,Mugs,kitchen,M-1,,\r\n",
    "mug,,,,,,M-2,,\r\n",
    'bowl,Stone Bowl,"<p>Kept as it is</p>",Larch,Bowls,,B-1,Old title,\r\n',
    "jug,Stone Jug,,Larch,Jugs,,J-1,,\r\n",
]
FILE = (HEADER + "".join(ROWS)).encode("utf-8-sig")


@pytest.fixture
def catalogue(shop: Workspace) -> Catalogue:
    return make_catalogue(shop, FILE, "my products.csv")


def product(catalogue: Catalogue, key: str) -> Product:
    return Product.objects.in_workspace(catalogue.workspace_id).select_related("text").get(catalogue=catalogue, key=key)


def exported(catalogue: Catalogue, **options: bool) -> bytes:
    return b"".join(export_file(catalogue, **options))


def test_only_written_cells_differ(catalogue: Catalogue) -> None:
    fields = {"description": "A mug of stone.\n\nIt is grey & calm.", "seo_title": "Mug", "meta_description": "A mug."}
    edit_text(product=product(catalogue, "mug"), fields=fields, editor=None)

    before, after = FILE.decode("utf-8-sig"), exported(catalogue).decode("utf-8-sig")
    assert exported(catalogue).startswith(b"\xef\xbb\xbf")
    assert after[len(HEADER) :].endswith("".join(ROWS[1:]))
    assert before[: len(HEADER)] == after[: len(HEADER)]
    rows = list(csv.reader(io.StringIO(after, newline="")))
    assert rows[1] == [
        *("mug", "Stone Mug", "<p>A mug of stone.</p>\r\n<p>It is grey &amp; calm.</p>", "Larch", "Mugs", "kitchen"),
        *("M-1", "Mug", "A mug."),
    ]


def test_cells_that_look_like_formulas_are_defused(catalogue: Catalogue) -> None:
    fields = {"description": "Plain.", "seo_title": "=HYPERLINK(1)", "meta_description": "-5 °C"}
    edit_text(product=product(catalogue, "jug"), fields=fields, editor=None)

    rows = list(csv.reader(io.StringIO(exported(catalogue).decode("utf-8-sig"), newline="")))
    assert rows[4][7:] == ["'=HYPERLINK(1)", "'-5 °C"]


def test_only_empty_leaves_the_shops_own_texts_alone(catalogue: Catalogue) -> None:
    for key in ("bowl", "jug"):
        edit_text(product=product(catalogue, key), fields={"description": "New."}, editor=None)

    rows = list(csv.reader(io.StringIO(exported(catalogue, only_empty=True).decode("utf-8-sig"), newline="")))
    assert rows[3][2] == "<p>Kept as it is</p>"
    assert rows[4][2] == "<p>New.</p>"


def test_script_in_a_text_is_escaped(catalogue: Catalogue) -> None:
    edit_text(product=product(catalogue, "jug"), fields={"description": "A <script>x</script> jug."}, editor=None)

    assert b"<p>A &lt;script&gt;x&lt;/script&gt; jug.</p>" in exported(catalogue)


def test_review_lists_exactly_the_cells_that_differ(catalogue: Catalogue) -> None:
    edit_text(product=product(catalogue, "bowl"), fields={"description": "New."}, editor=None)

    (written,) = written_products(catalogue)
    changes = product_changes(catalogue, written, target_columns(catalogue))
    assert [(change.field, change.before, change.after) for change in changes] == [
        ("description", "<p>Kept as it is</p>", "<p>New.</p>")
    ]


def test_name_says_what_it_is(catalogue: Catalogue) -> None:
    assert export_name(catalogue) == "my products-described.csv"


def test_file_without_a_description_column_gets_one(shop: Workspace) -> None:
    catalogue = make_catalogue(shop, b"sku;name;material\nA-1;Apron;linen\nA-2;Board;oak\n")
    assert exported(catalogue) == b"sku;name;material\nA-1;Apron;linen\nA-2;Board;oak\n"

    edit_text(product=product(catalogue, "A-2"), fields={"description": "A board; oak."}, editor=None)

    assert exported(catalogue) == b'sku;name;material;description\nA-1;Apron;linen\nA-2;Board;oak;"A board; oak."\n'
