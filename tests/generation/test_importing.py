from __future__ import annotations

import io
import itertools

import pytest
from django.conf import settings

from accounts.models import Workspace
from contentopt.errors import DomainError
from contentopt.jobs import JobState
from generation.catalogues.mapping import Mapping
from generation.exporting import export_file
from generation.importing import file_chunks, import_catalogue, keep_file, sweep_imports
from generation.models import Catalogue, Product, RowProblem, Variant
from generation.services.catalogues import add_sample_shop, catalogue_health, map_columns
from tests.factories import make_catalogue, make_file

pytestmark = pytest.mark.django_db

SHOPIFY = (
    "Handle,Title,Body (HTML),Vendor,Type,Tags,Option1 Name,Option1 Value,Variant SKU,SEO Title,SEO Description\r\n"
    'mug,Stone Mug,"<p>Old ""supplier""\r\ntext</p>",Larch,Mugs,kitchen,Color,Moss,M-1,,\r\n'
    "mug,,,,,,,Sand,M-2,,\r\n"
    "bowl,Stone Bowl,,Larch,Bowls,kitchen,Title,Default Title,B-1,,\r\n"
)


def products_of(catalogue: Catalogue) -> list[Product]:
    return list(Product.objects.in_workspace(catalogue.workspace_id).filter(catalogue=catalogue).order_by("row_number"))


def test_file_is_kept_byte_for_byte(shop: Workspace) -> None:
    content = make_file() * 50_000  # several chunks
    catalogue = keep_file(workspace=shop, upload=io.BytesIO(content), filename="big.csv")

    assert b"".join(file_chunks(catalogue)) == content


def test_shopify_rows_become_products_with_variants(shop: Workspace) -> None:
    catalogue = make_catalogue(shop, SHOPIFY.encode())

    mug, bowl = products_of(catalogue)
    assert (catalogue.format, catalogue.row_count, catalogue.product_count) == ("shopify", 3, 2)
    assert (mug.title, mug.key, mug.row_number) == ("Stone Mug", "mug", 1)
    assert [v.options for v in Variant.objects.in_workspace(shop).filter(product=mug)] == [
        {"Color": "Moss"},
        {"Color": "Sand"},
    ]
    assert bowl.original_hash == ""
    assert mug.original_hash != ""


ENCODINGS = {"utf-8": "utf-8", "utf-8-sig": "utf-8-sig", "cp1252": "cp1252", "utf-16": "utf-16"}
DELIMITERS = [",", ";", "\t"]
LINE_ENDS = ["\n", "\r\n"]


@pytest.mark.parametrize(
    ("encoding", "delimiter", "line_end"), list(itertools.product(ENCODINGS, DELIMITERS, LINE_ENDS))
)
def test_export_without_texts_is_the_received_file(
    shop: Workspace, encoding: str, delimiter: str, line_end: str
) -> None:
    rows = [
        ["sku", "name", "material", "description"],
        ["A-1", "Schürze", "Leinen", '"mit ""Taschen"""'],
        ["A-2", "Café-Tasse", "Steingut", f'"zwei{line_end}Zeilen"'],
        ["A-3", "Löffel", "Stahl", ""],
    ]
    content = line_end.join(delimiter.join(row) for row in rows).encode(encoding)  # no final line end
    catalogue = make_catalogue(shop, content)

    assert catalogue.status == Catalogue.Status.READY, catalogue.format_reason
    assert [product.title for product in products_of(catalogue)] == ["Schürze", "Café-Tasse", "Löffel"]
    assert b"".join(export_file(catalogue)) == content


REFUSED = {
    "archive": b"PK\x03\x04" + b"\0" * 100,
    "binary": bytes(range(256)) * 20,
    "pdf": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
    "no products": b"position;name;color_code\n1;red;#f00\n2;blue;#00f\n",
    "only a header": b"sku,name,description\n",
}


@pytest.mark.parametrize("content", REFUSED.values(), ids=REFUSED)
def test_what_is_no_catalogue_is_refused_with_the_reason(shop: Workspace, content: bytes) -> None:
    catalogue = make_catalogue(shop, content)

    assert catalogue.status == Catalogue.Status.REFUSED
    assert catalogue.state == JobState.DONE
    assert catalogue.format_reason.endswith(".")
    assert products_of(catalogue) == []


def test_empty_file_is_refused_and_not_kept(shop: Workspace) -> None:
    with pytest.raises(DomainError, match="empty"):
        keep_file(workspace=shop, upload=io.BytesIO(b""), filename="empty.csv")

    assert not Catalogue.objects.in_workspace(shop).exists()


def test_file_over_the_limit_is_refused_and_not_kept(shop: Workspace, settings: object) -> None:
    settings.CATALOGUE_MAX_BYTES = 1000  # type: ignore[attr-defined]

    with pytest.raises(DomainError) as refusal:
        keep_file(workspace=shop, upload=io.BytesIO(b"x" * 1001), filename="big.csv")

    assert refusal.value.status == 413
    assert not Catalogue.objects.in_workspace(shop).exists()


def test_bad_rows_are_listed_and_good_ones_imported(shop: Workspace) -> None:
    rows = ["A-1,Apron,linen,sand,", ",No Key,linen,sand,", "A-3,,linen,sand,", "A-1,Twin,linen,sand,", "A-5,Short"]
    catalogue = make_catalogue(shop, make_file(rows))

    assert [product.title for product in products_of(catalogue)] == ["Apron", "No Key", "Twin", "Short"]
    problem_rows = set(RowProblem.objects.in_workspace(shop).values_list("row_number", flat=True))
    assert problem_rows == {2, 3, 4, 5}
    assert catalogue.row_count == 5


def test_hostile_cells_stay_data(shop: Workspace) -> None:
    rows = [
        'A-1,"=HYPERLINK(""http://evil.example"")",linen,red,',
        "A-2,Chair <script>alert(1)</script>,oak,red,",
        "A-3,Nul\x00in name,oak,red,",
        "A-4,كرسي 🍵,oak,red,",
    ]
    catalogue = make_catalogue(shop, make_file(rows))

    titles = [product.title for product in products_of(catalogue)]
    assert len(titles) == 4
    assert titles[3] == "كرسي 🍵"
    assert "\x00" not in titles[2]
    assert b"".join(export_file(catalogue)) == make_file(rows)


def test_unknown_columns_wait_for_a_person_and_are_remembered(shop: Workspace) -> None:
    content = b"kolumna,opis\nKubek,niebieski\nMiska,zielona\n"
    first = make_catalogue(shop, content)
    assert first.status == Catalogue.Status.NEEDS_MAPPING
    assert products_of(first) == []

    map_columns(catalogue=first, mapping=Mapping(("title", "attribute")))
    import_catalogue(first.pk)
    second = make_catalogue(shop, content)

    assert [product.title for product in products_of(first)] == ["Kubek", "Miska"]
    assert second.status == Catalogue.Status.READY
    assert [product.title for product in products_of(second)] == ["Kubek", "Miska"]


def test_importing_twice_leaves_every_row_once(shop: Workspace) -> None:
    catalogue = make_catalogue(shop)
    import_catalogue(catalogue.pk)  # a repeated message: the job is done, so nothing is claimed

    assert [product.row_number for product in products_of(catalogue)] == [1, 2, 3]


def test_import_that_died_half_way_begins_again(shop: Workspace) -> None:
    catalogue = make_catalogue(shop)
    Catalogue.objects.in_workspace(shop).update(state=JobState.QUEUED, attempt=1)  # as after a lost lease

    import_catalogue(catalogue.pk)

    catalogue.refresh_from_db()
    assert (catalogue.product_count, len(products_of(catalogue))) == (3, 3)


def test_import_that_keeps_killing_its_worker_ends_with_a_reason(shop: Workspace) -> None:
    catalogue = keep_file(workspace=shop, upload=io.BytesIO(make_file()), filename="products.csv")
    Catalogue.objects.in_workspace(shop).update(attempt=settings.JOB_MAX_ATTEMPTS)

    sweep_imports()

    catalogue.refresh_from_db()
    assert catalogue.state == JobState.FAILED
    assert "several times" in catalogue.failure


def test_sample_shop_has_sixty_products_and_awkward_ones(shop: Workspace) -> None:
    catalogue = add_sample_shop(shop)

    health = catalogue_health(catalogue)
    assert catalogue.format == "shopify"
    assert health["products"] >= 60
    assert health["without_description"] > 0
    assert health["sharing_a_description"] > 0
    assert Variant.objects.in_workspace(shop).count() > 50


def test_huge_cells_are_imported_and_come_back_unchanged(shop: Workspace) -> None:
    content = make_file([f"A-1,{'long name ' * 1_000},linen,sand,", f"A-2,Board,oak,brown,{'x' * 1_000_000}"])
    catalogue = make_catalogue(shop, content)

    long_name, board = products_of(catalogue)
    assert (len(long_name.title), board.title) == (1000, "Board")
    assert "long_cell" in set(RowProblem.objects.in_workspace(shop).values_list("code", flat=True))
    assert b"".join(export_file(catalogue)) == content
