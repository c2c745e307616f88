"""The shared catalogue files, where they are at hand: format, dialect, rows, and the same bytes back."""

from __future__ import annotations

from pathlib import Path

import pytest

from generation.catalogues import (
    CatalogueProduct,
    Dialect,
    detect_dialect,
    group_products,
    read_records,
    recognise,
    rewrite,
)

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "catalogs" / "files"
LF, CRLF = "\n", "\r\n"
EXPECTED = [
    ("contoso_products.csv", "generic", Dialect("utf-8", False, ",", LF), 20, 20),
    ("eshop_101_semicolon_cp1252_decimalcomma.csv", "generic", Dialect("cp1252", False, ";", CRLF), 101, 101),
    ("eshop_101_utf16_tab.txt", "generic", Dialect("utf-16-le", True, "\t", CRLF), 101, 101),
    ("nasty_rows_handmade.csv", "generic", Dialect("utf-8", False, ",", CRLF), 17, 15),
    ("retail_demo_2465_no_descriptions.csv", "generic", Dialect("utf-8", False, ",", CRLF), 2465, 2465),
    ("retail_demo_2465_shopify_new.csv", "shopify_new", Dialect("utf-8", False, ",", CRLF), 2465, 2465),
    ("retail_demo_2465_woocommerce_current.csv", "woocommerce", Dialect("utf-8", True, ",", CRLF), 2465, 2465),
    ("shopware_products.csv", "generic", Dialect("utf-8", False, ";", LF), 60, 60),
    ("shopware_products_with_invalid.csv", "generic", Dialect("utf-8", False, ";", LF), 10, 10),
    ("shopware_properties.csv", "none", Dialect("utf-8", False, ";", LF), 256, 0),
]
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="the shared catalogue files are not beside this checkout")


def chunks(content: bytes, size: int = 10_007) -> list[bytes]:
    return [content[start : start + size] for start in range(0, len(content), size)]


@pytest.mark.parametrize(("name", "format", "dialect", "row_count", "product_count"), EXPECTED)
def test_a_shared_file_is_understood(
    name: str, format: str, dialect: Dialect, row_count: int, product_count: int
) -> None:
    content = (FOLDER / name).read_bytes()

    detected = detect_dialect(content[: 1024 * 1024], whole=len(content) <= 1024 * 1024)
    header, *rows = [record.values for record in read_records(chunks(content), detected) if record.number >= 0]
    recognition = recognise(header, rows[:100])
    items = list(group_products(read_records(chunks(content), detected), recognition.mapping, recognition.format))

    assert (recognition.format, recognition.confident, detected) == (format, True, dialect)
    assert sum(item.row_count for item in items) == len(rows) == row_count
    if product_count:
        assert sum(isinstance(item, CatalogueProduct) for item in items) == product_count


@pytest.mark.parametrize("name", [row[0] for row in EXPECTED])
def test_a_shared_file_comes_back_byte_for_byte(name: str) -> None:
    content = (FOLDER / name).read_bytes()
    dialect = detect_dialect(content[: 1024 * 1024], whole=len(content) <= 1024 * 1024)

    assert b"".join(rewrite(chunks(content), dialect, lambda number: None)) == content


@pytest.mark.parametrize("name", [row[0] for row in EXPECTED])
def test_only_the_written_cells_of_a_shared_file_differ(name: str) -> None:
    content = (FOLDER / name).read_bytes()
    dialect = detect_dialect(content[: 1024 * 1024], whole=len(content) <= 1024 * 1024)
    before = list(read_records([content], dialect))

    written = rewrite(chunks(content), dialect, lambda number: {2: 'A "new", text'} if number % 3 == 1 else None)
    after = list(read_records(written, dialect))

    assert [record.raw_end for record in after] == [record.raw_end for record in before]
    for old, new in zip(before, after, strict=True):
        if old.number % 3 == 1:
            assert new.values[2] == 'A "new", text'
            assert new.raw_cells[:2] + new.raw_cells[3:] == [*old.raw_cells, ""][:2] + old.raw_cells[3:]
        else:
            assert new.raw_cells == old.raw_cells
