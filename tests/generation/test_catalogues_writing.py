from __future__ import annotations

import csv
import io
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generation.catalogues import (
    DELIMITERS,
    ENCODINGS,
    Dialect,
    guard_formula,
    html_to_text,
    read_records,
    render_description,
    rewrite,
)

CSV = Dialect("utf-8", False, ",", "\r\n")


def rewritten(content: bytes, changes: dict[int, dict[int, str]], dialect: Dialect = CSV) -> bytes:
    return b"".join(rewrite([content], dialect, changes.get))


@settings(max_examples=150, deadline=None)
@given(content=st.binary(max_size=80), encoding=st.sampled_from(ENCODINGS), delimiter=st.sampled_from(DELIMITERS))
def test_a_file_without_changes_comes_back_byte_for_byte(content: bytes, encoding: str, delimiter: str) -> None:
    assert rewritten(content, {}, Dialect(encoding, True, delimiter, "\n")) == content


@pytest.mark.parametrize(
    ("encoding", "delimiter", "line_end"),
    list(itertools.product(("utf-8", "cp1252", "utf-16-le", "utf-16-be"), (",", ";", "\t", "|"), ("\r\n", "\n", "\r"))),
)
def test_only_the_written_cell_differs(encoding: str, delimiter: str, line_end: str) -> None:
    rows = [['"sku"', "name ", "text"], ["1", '"Käse"', ""], ["2", " x ", "kept"]]
    before = line_end.join(delimiter.join(row) for row in rows)
    rows[1][2] = '"Fein;\tgut,|ja"'
    after = line_end.join(delimiter.join(row) for row in rows)
    dialect = Dialect(encoding, False, delimiter, line_end)

    content = rewritten(before.encode(encoding), {1: {2: "Fein;\tgut,|ja"}}, dialect)

    assert content == after.encode(encoding)


@settings(max_examples=150, deadline=None)
@given(value=st.text(max_size=30), present=st.sampled_from(("old", '"old"', "")), delimiter=st.sampled_from(DELIMITERS))
def test_a_written_cell_reads_back_and_moves_no_other(value: str, present: str, delimiter: str) -> None:
    dialect = Dialect("utf-8", False, delimiter, "\n")
    content = delimiter.join(("sku", present, "end")) + "\nlast" + delimiter * 2

    again = rewritten(content.encode(), {0: {1: value}}, dialect)

    rows = [record.values for record in read_records([again], dialect)]
    assert [rows[0][0], rows[0][2], rows[1]] == ["sku", "end", ["last", "", ""]]
    visible = "".join(character for character in value if character >= " " and character != "\x7f")
    assert "".join(character for character in rows[0][1] if character >= " ").removeprefix("'") in (
        visible,
        visible.removeprefix("'"),
    )


def test_another_reader_sees_the_same_cells() -> None:
    again = rewritten(b"sku,name\r\n1,Tea\r\n", {1: {1: 'A "fine", green\ntea'}})

    assert list(csv.reader(io.StringIO(again.decode(), newline=""))) == [
        ["sku", "name"],
        ["1", 'A "fine", green\r\ntea'],
    ]


def test_a_quoted_cell_stays_quoted_and_a_bare_one_bare() -> None:
    assert rewritten(b'"a",b\r\n', {0: {0: "x", 1: "y"}}) == b'"x",y\r\n'


def test_a_short_row_is_filled_up_only_when_we_write_beyond_its_end() -> None:
    assert rewritten(b"a,b,c,d\r\n1\r\n2\r\n", {1: {2: "x"}}) == b"a,b,c,d\r\n1,,x\r\n2\r\n"


def test_a_column_can_be_added_at_the_end() -> None:
    again = rewritten(b"sku,name\r\n1,Tea\r\n\r\n2,Pot", {0: {2: "description"}, 1: {2: "Green."}, 3: {2: "Iron."}})

    assert again == b"sku,name,description\r\n1,Tea,Green.\r\n\r\n2,Pot,Iron."


def test_the_byte_order_mark_stays() -> None:
    dialect = Dialect("utf-8", True, ",", "\n")

    assert rewritten(b"\xef\xbb\xbfname,text\nTea,", {1: {1: "Green"}}, dialect) == b"\xef\xbb\xbfname,text\nTea,Green"


def test_bytes_that_fit_no_character_stay_beside_a_written_cell() -> None:
    assert rewritten(b"n,t\r\nT\xffa,old\r\n", {1: {1: "new"}}) == b"n,t\r\nT\xffa,new\r\n"


def test_the_odd_last_byte_of_utf16_stays_last() -> None:
    dialect = Dialect("utf-16-le", False, ",", "\n")

    assert (
        rewritten("a,b".encode("utf-16-le") + b"\x41", {0: {2: "c"}}, dialect) == "a,b,c".encode("utf-16-le") + b"\x41"
    )


def test_line_breaks_in_a_written_cell_are_the_files_own() -> None:
    assert rewritten(b"a\nb\n", {1: {0: "x\r\ny"}}, Dialect("utf-8", False, ",", "\n")) == b'a\n"x\ny"\n'


def test_a_mixed_file_gets_the_line_break_of_the_row() -> None:
    mixed = Dialect("utf-8", False, ",", "mixed")

    assert rewritten(b"a\r\nb\nc", {0: {0: "1\n2"}, 1: {0: "1\n2"}, 2: {0: "1\n2"}}, mixed) == (
        b'"1\r\n2"\r\n"1\n2"\n"1\n2"'
    )


def test_a_stray_quote_does_not_swallow_the_cell_written_beside_it() -> None:
    again = rewritten(b'name,text\r\n"12 inch pan,old\r\nPot,iron\r\n', {1: {1: 'A "pan", steel'}})

    assert [record.values for record in read_records([again], CSV)] == [
        ["name", "text"],
        ['"12 inch pan', 'A "pan", steel'],
        ["Pot", "iron"],
    ]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r", " =", "\ufeff=", '"=', "\x00=", "\xa0@"])
def test_a_cell_we_write_is_never_a_formula(start: str) -> None:
    again = rewritten(b"a,b\r\n1,\r\n", {1: {1: f"{start}cmd()"}})

    assert list(read_records([again], CSV))[1].values[1].startswith("'")


def test_a_formula_we_did_not_write_stays() -> None:
    content = b"sku,name,text\r\n-12A,=1+1,\r\n"

    assert rewritten(content, {1: {2: "x"}}) == b"sku,name,text\r\n-12A,=1+1,x\r\n"


def test_ordinary_text_is_not_guarded() -> None:
    assert guard_formula("A pan for 2-4 eggs = breakfast") == "A pan for 2-4 eggs = breakfast"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("10\u202f×\u202f20 cm – 5 €", "10 × 20 cm – 5 €"),
        ("A→B, ≥ 5 \u2033", 'A->B, >= 5 "'),
        ("Škoda Őrség", "Škoda Orség"),
        ("Tea 🍵!", "Tea !"),
        ("<p>Tea 🍵!</p>", "<p>Tea &#127861;!</p>"),
    ],
)
def test_what_cp1252_lacks_is_replaced_by_its_nearest(value: str, written: str) -> None:
    dialect = Dialect("cp1252", False, ",", "\n")

    rows = list(read_records([rewritten(b"text\nold\n", {1: {0: value}}, dialect)], dialect))

    assert rows[1].values == [written]


def test_the_file_is_rewritten_as_it_streams() -> None:
    source = itertools.chain([b"name,text\n"], itertools.repeat(b"Tea,\n" * 1000))

    again = rewrite(source, Dialect("utf-8", False, ",", "\n"), lambda number: {1: "Green"} if number else None)

    assert len([next(again) for _ in range(20)]) == 20


def test_shopify_descriptions_are_escaped_html() -> None:
    text = "Soft & warm <3\nfor winter.\n\n- 100 % wool\n- washable\n\nMade in Wales."

    assert render_description(text, "shopify", "description", was_html=False) == (
        "<p>Soft &amp; warm &lt;3<br>for winter.</p>\n"
        "<ul><li>100 % wool</li><li>washable</li></ul>\n"
        "<p>Made in Wales.</p>"
    )


def test_bullets_right_under_a_line_still_make_a_list() -> None:
    assert render_description("Why:\n- warm\n- light", "shopify_new", "description", was_html=True) == (
        "<p>Why:</p>\n<ul><li>warm</li><li>light</li></ul>"
    )


def test_woocommerce_descriptions_use_its_escapes() -> None:
    assert render_description("One.\n\nTwo \\n.", "woocommerce", "description", was_html=False) == (
        "<p>One.</p>\\n<p>Two \\\\n.</p>"
    )


def test_a_generic_column_keeps_its_kind() -> None:
    assert render_description("One.\n\nTwo.", "generic", "description", was_html=False) == "One.\n\nTwo."
    assert render_description("One.\n\nTwo.", "generic", "description", was_html=True) == "<p>One.</p>\n<p>Two.</p>"


def test_plain_bullets_do_not_look_like_a_formula() -> None:
    plain = render_description("- warm\n- light", "generic", "description", was_html=False)

    assert guard_formula(plain) == plain == "• warm\n• light"


def test_seo_fields_are_one_plain_line() -> None:
    assert render_description("Soft\n& warm", "shopify", "meta_description", was_html=True) == "Soft & warm"


def test_html_we_wrote_reads_back_as_the_text() -> None:
    text = "Soft & warm.\nFor winter."

    assert html_to_text(render_description(text, "shopify", "description", was_html=True)) == text
