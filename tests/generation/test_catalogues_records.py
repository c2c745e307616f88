from __future__ import annotations

import csv
import io
import itertools
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from generation.catalogues import DELIMITERS, ENCODINGS, CatalogueError, Dialect, Record, read_records
from generation.catalogues.text_codec import BOMS, encode_text

CSV = Dialect("utf-8", False, ",", "\n")
PIECES = st.sampled_from(['"', '""', ",", ";", "\\r", "\\n", "\\r\\n", " ", "a", "é", "\\0", '"a"', "\\ufeff", "🍵"])


def records(content: bytes, dialect: Dialect = CSV) -> list[Record]:
    return list(read_records([content], dialect))


def joined(rows: list[Record], dialect: Dialect) -> bytes:
    return b"".join(encode_text(row.raw(dialect.delimiter), dialect.encoding) for row in rows)


def values(content: bytes, dialect: Dialect = CSV) -> list[list[str]]:
    return [row.values for row in records(content, dialect)]


@settings(max_examples=200, deadline=None)
@given(content=st.binary(max_size=80), encoding=st.sampled_from(ENCODINGS), delimiter=st.sampled_from(DELIMITERS))
@example(content=b'"', encoding="utf-16-le", delimiter=",")
@example(content=b"\x00\xd8\x00\xd8\x41", encoding="utf-16-le", delimiter=",")
@example(content=b"\xff\xfe\x22\x00\x0d\x00\x00", encoding="utf-16-le", delimiter=",")
@example(content=b"\xef\xbb\xbf\xef\xbb\xbf", encoding="utf-8", delimiter=",")
def test_any_bytes_come_back_the_same(content: bytes, encoding: str, delimiter: str) -> None:
    dialect = Dialect(encoding, False, delimiter, "\n")
    bom = BOMS.get(encoding, b"")

    again = joined(records(content, dialect), dialect)

    assert again == content.removeprefix(bom)


@settings(max_examples=200, deadline=None)
@given(
    pieces=st.lists(PIECES, max_size=40),
    cuts=st.lists(st.integers(0, 120), max_size=5),
    encoding=st.sampled_from(("utf-8", "utf-16-be")),
)
def test_where_the_stream_is_cut_makes_no_difference(pieces: list[str], cuts: list[int], encoding: str) -> None:
    content = "".join(pieces).encode(encoding)
    dialect = Dialect(encoding, False, ",", "\n")
    edges = [0, *sorted(cuts), len(content)]
    chunks = [content[start:end] for start, end in itertools.pairwise(edges) if start < end]

    assert list(read_records(chunks, dialect)) == records(content, dialect)


@settings(max_examples=150, deadline=None)
@given(
    rows=st.lists(st.lists(st.text(alphabet='ab"\n,; é', max_size=8), min_size=2, max_size=4), min_size=1, max_size=5),
    line_end=st.sampled_from(("\r\n", "\n")),
    quoting=st.sampled_from((csv.QUOTE_ALL, csv.QUOTE_MINIMAL)),
)
def test_a_well_written_file_reads_as_it_was_written(rows: list[list[str]], line_end: str, quoting: int) -> None:
    written = io.StringIO(newline="")
    csv.writer(written, lineterminator=line_end, quoting=quoting).writerows(rows)  # type: ignore[arg-type]

    assert values(written.getvalue().encode()) == rows


def test_rows_are_counted_from_the_header_and_lines_from_the_top() -> None:
    rows = records(b'name,text\nTea,"two\nlines"\n\nPot,x\n')

    assert [(row.number, row.line) for row in rows] == [(0, 1), (1, 2), (2, 4), (3, 5)]


def test_blank_lines_and_a_separator_line_stand_above_the_header() -> None:
    rows = records(b"sep=,\n\nname,price\nTea,1\n")

    assert [row.number for row in rows] == [-1, -1, 0, 1]


def test_line_ends_are_kept_as_they_are() -> None:
    assert [row.raw_end for row in records(b"a\r\nb\nc\rd")] == ["\r\n", "\n", "\r", ""]


@pytest.mark.parametrize(
    ("content", "cells"),
    [
        (b'"a, b",c', ["a, b", "c"]),
        (b'"say ""hi""",c', ['say "hi"', "c"]),
        (b'7" tablet,c', ['7" tablet', "c"]),
        (b' "a, b" ,c', ["a, b", "c"]),
        (b' "hi" said Tom,c', [' "hi" said Tom', "c"]),
        (b'"a" b,c', ["a b", "c"]),
        (b'""', [""]),
        (b"a,", ["a", ""]),
        (b'a,""', ["a", ""]),
        (b"a\0b,c", ["a\0b", "c"]),
    ],
)
def test_quotes_mean_what_shops_mean_by_them(content: bytes, cells: list[str]) -> None:
    assert values(content) == [cells]


def test_an_unclosed_quote_costs_no_row() -> None:
    rows = records(b'name,text\n"12 inch pan,steel\nPot,iron\nTea,green\n')

    assert [row.values for row in rows][1:] == [['"12 inch pan', "steel"], ["Pot", "iron"], ["Tea", "green"]]
    assert [row.unclosed for row in rows] == [(), (0,), (), ()]


def test_an_unclosed_quote_before_a_quoted_cell_costs_no_row() -> None:
    rows = records(b'name,text\n"12 inch pan,steel\nPot,"iron, cast"\n')

    assert [row.values for row in rows][1:] == [['"12 inch pan', "steel"], ["Pot", "iron, cast"]]


def test_an_unclosed_quote_in_a_large_file_is_given_up_early() -> None:
    dialect = CSV
    content = b'a,b\n"open,x\n' + b"some,plain row of text\n" * 200_000
    started = time.perf_counter()

    rows = records(content, dialect)

    assert len(rows) == 200_002
    assert rows[1].unclosed == (0,)
    assert time.perf_counter() - started < 20  # minutes, were it quadratic


def test_many_unclosed_quotes_do_not_make_reading_slow() -> None:
    content = b"a,b\n" + b'"open ""x"",y\n' * 20_000
    started = time.perf_counter()

    rows = records(content)

    assert joined(rows, CSV) == content
    assert time.perf_counter() - started < 20  # minutes, were it quadratic


def test_a_row_of_absurd_length_is_an_error_instead_of_a_full_memory() -> None:
    piece = b"x" * (1024 * 1024)

    with pytest.raises(CatalogueError) as refused:
        list(read_records(itertools.repeat(piece), CSV))

    assert refused.value.code == "row_too_long"


def test_a_row_of_absurd_width_is_an_error_instead_of_a_full_memory() -> None:
    with pytest.raises(CatalogueError) as refused:
        records(b"name\n" + b"," * 100_000)

    assert refused.value.code == "too_many_columns"


def test_a_cell_of_a_megabyte_is_read() -> None:
    cell = "lorem, ipsum " * 80_000

    assert values(f'name,text\nTea,"{cell}"\n'.encode())[1] == ["Tea", cell]


def test_records_stream_without_waiting_for_the_end_of_the_file() -> None:
    stream = read_records(itertools.chain([b"name\n"], itertools.repeat(b"Tea\n" * 100)), CSV)

    assert [next(stream).values for _ in range(250)][-1] == ["Tea"]
