"""CSV that a spreadsheet shows and does not run."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator

_FORMULA_START = re.compile(r"[\s\ufeff\"]*[=+\-@]|[ \ufeff\"]*[\t\r\x00]")


class Echo:
    """A file that hands each line back, so that csv can write into a stream."""

    def write(self, line: str) -> str:
        return line


def guard_formula(value: str) -> str:
    """A spreadsheet runs a cell that starts like this, even after spaces or quotes; an apostrophe makes it text."""
    return f"'{value}" if _FORMULA_START.match(value) else value


def csv_lines(rows: Iterable[Iterable[object]]) -> Iterator[str]:
    """Lines of a table of our own making. Numbers stay numbers."""
    writer = csv.writer(Echo())
    for row in rows:
        yield writer.writerow([guard_formula(cell) if isinstance(cell, str) else cell for cell in row])
