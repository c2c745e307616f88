from __future__ import annotations

import io
import itertools
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generation.catalogues import CatalogueError, Dialect, detect_dialect

BOMS = {"utf-8": b"\xef\xbb\xbf", "utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}
ROWS = (
    ("sku", "name", "description", "price"),
    ("T-1", "Käsereibe", "Reibt fein, grob; auch | Nüsse", "9,90"),
    ("T-2", "Crème brûlée set", 'Four dishes, 10 cm\nand a "torch"', "19,50"),
    ("T-3", "Größe prüfen", "", "1"),
)
WAYS = [
    (encoding, bom, delimiter, line_end)
    for (encoding, bom), delimiter, line_end in itertools.product(
        (
            ("utf-8", False),
            ("utf-8", True),
            ("cp1252", False),
            ("utf-16-le", True),
            ("utf-16-le", False),
            ("utf-16-be", True),
        ),
        (",", ";", "\t", "|"),
        ("\r\n", "\n", "\r"),
    )
]


def write(encoding: str, bom: bool, delimiter: str, line_end: str) -> bytes:
    def cell(value: str) -> str:
        needs = any(mark in value for mark in (delimiter, '"', "\n"))
        return '"' + value.replace('"', '""') + '"' if needs else value

    text = "".join(delimiter.join(map(cell, row)) + line_end for row in ROWS)
    return (BOMS[encoding] if bom else b"") + text.encode(encoding)


def refusal(sample: bytes) -> CatalogueError:
    with pytest.raises(CatalogueError) as refused:
        detect_dialect(sample, whole=True)
    return refused.value


@pytest.mark.parametrize(("encoding", "bom", "delimiter", "line_end"), WAYS)
def test_each_way_of_writing_a_file_is_detected(encoding: str, bom: bool, delimiter: str, line_end: str) -> None:
    sample = write(encoding, bom, delimiter, line_end)

    assert detect_dialect(sample, whole=True) == Dialect(encoding, bom, delimiter, line_end)


def test_line_breaks_inside_cells_do_not_make_line_ends_mixed() -> None:
    assert detect_dialect(b'name,text\r\nTea,"two\nlines"\r\n', whole=True).line_end == "\r\n"


def test_two_kinds_of_line_end_are_mixed() -> None:
    assert detect_dialect(b"name,price\r\nTea,1\nPot,2\r\n", whole=True).line_end == "mixed"


def test_commas_in_the_texts_do_not_hide_a_semicolon_file() -> None:
    sample = b"Active (0/1);Name *;Categories (x,y,z...)\n1;Tea;Food,Drinks,Tea\n1;Pot;Kitchen,Pots,Iron\n"

    assert detect_dialect(sample, whole=True).delimiter == ";"


def test_a_separator_line_decides_the_delimiter() -> None:
    assert detect_dialect(b"sep=;\r\na,b;c\r\n1,2;3\r\n", whole=True).delimiter == ";"


@pytest.mark.parametrize("cut", range(1, 40))
def test_a_sample_cut_anywhere_keeps_encoding_and_line_end(cut: int) -> None:
    sample = write("utf-8", bom=False, delimiter=",", line_end="\r\n") * 3

    dialect = detect_dialect(sample[:-cut], whole=False)

    assert (dialect.encoding, dialect.line_end) == ("utf-8", "\r\n")


def test_a_few_damaged_bytes_do_not_make_utf8_into_cp1252() -> None:
    sample = b"name,text\n" + "Käse,schön süß größer\n".encode() * 5 + b"Broken \xff,x\n"

    assert detect_dialect(sample, whole=True).encoding == "utf-8"


def test_a_nul_byte_in_a_text_file_is_no_reason_to_refuse_it() -> None:
    sample = b"sku,name\r\n1,Tea\x00pot\r\n2,Cup\r\n3,Plate\r\n"

    assert detect_dialect(sample, whole=True) == Dialect("utf-8", False, ",", "\r\n")


@pytest.mark.parametrize("sample", [b"", b"\r\n \t\n", b"\xef\xbb\xbf", b"\x00\x00\x00\x00"])
def test_an_empty_file_is_refused(sample: bytes) -> None:
    assert refusal(sample).code == "empty"


def test_a_workbook_is_refused_with_what_to_do() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")

    refused = refusal(packed.getvalue())

    assert refused.code == "archive"
    assert refused.message == "This is an Excel workbook. Save it as CSV and upload that."


@pytest.mark.parametrize(
    ("sample", "code"),
    [
        (b"PK\x03\x04 catalogue.csv", "archive"),
        (b"\x1f\x8b\x08\x00rest", "archive"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1old workbook", "archive"),
        (b"%PDF-1.7\n", "pdf"),
        (b"\x89PNG\r\n\x1a\n....", "image"),
        (b"\xff\xd8\xff\xe0jpeg", "image"),
        (b"RIFF\x10\x00\x00\x00WEBPVP8 ", "image"),
        (b"\x7fELF\x02\x01", "binary"),
        (bytes(range(1, 32)) * 8, "binary"),
        (b"<!DOCTYPE html><html><body>Sign in</body></html>", "unreadable"),
        (b'{"products": []}', "unreadable"),
        (b"<?xml version='1.0'?><rss/>", "unreadable"),
    ],
)
def test_another_kind_of_file_is_refused_by_name(sample: bytes, code: str) -> None:
    refused = refusal(sample)

    assert refused.code == code
    assert refused.message.endswith(".")


def test_a_dialect_survives_being_saved() -> None:
    dialect = Dialect("utf-16-le", True, "\t", "mixed")

    assert Dialect.from_json(dialect.to_json()) == dialect


def test_a_chosen_encoding_that_does_not_exist_is_refused() -> None:
    saved = {**Dialect("utf-8", False, ",", "\n").to_json(), "encoding": "rot13"}

    with pytest.raises(CatalogueError):
        Dialect.from_json(saved)


@settings(max_examples=200, deadline=None)
@given(sample=st.binary(max_size=200), whole=st.booleans())
def test_any_bytes_give_a_dialect_or_a_reason(sample: bytes, whole: bool) -> None:
    reason = ""
    try:
        detect_dialect(sample, whole=whole)
    except CatalogueError as refused:
        reason = refused.message

    assert not reason or reason.endswith(".")
