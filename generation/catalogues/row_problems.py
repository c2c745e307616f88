from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from generation.catalogues.rows import Record

LONG_CELL = 100_000
_FORMULA = re.compile(r"[\s\ufeff]*(?:[=@]|[+-](?=[a-zA-Z(@=]))")


@dataclass(frozen=True, slots=True)
class RowProblem:
    """What is odd about one row, in plain words; `column` is empty where it concerns the whole row."""

    row_number: int
    line: int
    column: str
    code: str
    message: str


def row_problem(record: Record, code: str, message: str, column: str = "") -> RowProblem:
    return RowProblem(record.number, record.line, column, code, message)


def check_row(record: Record, values: Sequence[str], labels: Sequence[str]) -> list[RowProblem]:
    """What can be said of a row without knowing what its columns mean. `values` are as many as the row really has."""
    problems = list(_check_width(record, values, len(labels)))
    if record.unclosed:
        problems += [
            row_problem(
                record, "unclosed_quote", "A quotation mark opens here and never closes.", _label(labels, index)
            )
            for index in record.unclosed
        ]
    text = "".join(values)
    if "\0" in text or not text.isascii() or len(text) > LONG_CELL:
        problems += _check_characters(record, values, labels)
    suspects = [index for index, value in enumerate(values) if value and value[0] in "=@+- \t\ufeff"]
    problems += [
        row_problem(
            record,
            "formula",
            "A spreadsheet would run this cell as a formula. It is kept as text.",
            _label(labels, index),
        )
        for index in suspects
        if _FORMULA.match(values[index])
    ]
    return problems


def _check_width(record: Record, values: Sequence[str], width: int) -> Iterator[RowProblem]:
    if len(values) < width:
        message = f"The row has {len(values)} cells, the header {width}; the missing ones count as empty."
        yield row_problem(record, "short_row", message)
    elif any(value.strip() for value in values[width:]):
        message = f"The row has {len(values)} cells, the header {width}; the surplus is kept but not used."
        yield row_problem(record, "long_row", message)


def _check_characters(record: Record, values: Sequence[str], labels: Sequence[str]) -> Iterator[RowProblem]:
    for index, value in enumerate(values):
        if "\0" in value:
            yield row_problem(record, "nul", "The cell holds NUL bytes, left out of the text.", _label(labels, index))
        if len(value) > LONG_CELL:
            message = f"The cell has {len(value):,} characters; only the first {LONG_CELL:,} are read for facts."
            yield row_problem(record, "long_cell", message, _label(labels, index))
        if not _is_decodable(value):
            message = "Some bytes fit no character in this encoding: check the encoding that was detected."
            yield row_problem(record, "undecodable", message, _label(labels, index))


def _is_decodable(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _label(labels: Sequence[str], index: int) -> str:
    return labels[index] if index < len(labels) else f"Column {index + 1}"
