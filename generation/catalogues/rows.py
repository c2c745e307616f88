from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from generation.catalogues.errors import CatalogueError
from generation.catalogues.text_codec import odd_byte

MAX_CELL = 2 * 1024 * 1024
MAX_RECORD = 16 * 1024 * 1024
MAX_COLUMNS = 16_384
LINE_ENDS = ("\r\n", "\n", "\r")
ABOVE_HEADER = -1

_LINE_END = re.compile(r"\r\n|\r|\n")
_ODD_QUOTES = re.compile(r'(?<!")"(?:"")*+(?!")')
_INSIDE = r'[^"]*+(?:""[^"]*+)*+'
_QUOTED = re.compile(rf' *+"({_INSIDE})"(.*)', re.DOTALL)
_SEPARATOR_LINE = re.compile(r'"?sep=.?"?', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Record:
    """One row as it stands in the file: cells with their quotes, and the exact line end.

    `raw_end` is "" at the end of the file, where it also keeps the odd last byte of a damaged UTF-16 file.

    `number` is 0 for the header and counts data rows from 1; blank lines and a `sep=` line above the header are -1.
    `unclosed` lists the columns whose opening quote never closes, so that it was read as a plain character.
    """

    number: int
    line: int
    raw_cells: list[str]
    raw_end: str
    unclosed: tuple[int, ...] = ()

    @property
    def values(self) -> list[str]:
        return [unquote(cell) if '"' in cell else cell for cell in self.raw_cells]

    @property
    def is_blank(self) -> bool:
        return not any(cell.strip(' \t"') for cell in self.raw_cells)

    def raw(self, delimiter: str) -> str:
        return delimiter.join(self.raw_cells) + self.raw_end


def unquote(cell: str) -> str:
    quoted = _QUOTED.fullmatch(cell)
    if quoted is None:
        return cell
    inside, rest = quoted.groups()
    if cell[0] == " " and rest.strip(" "):
        return cell
    return inside.replace('""', '"') + (rest if rest.strip(" ") else "")


def read_text(pieces: Iterable[str], delimiter: str) -> Iterator[Record]:
    """Every row of a text in order. Joining `raw()` of all of them gives the text again, whatever it holds.

    Raises CatalogueError only for a row of more than MAX_RECORD characters.
    """
    number = ABOVE_HEADER
    for line, cells, end, unclosed in _Rows(_Lines(pieces), delimiter):
        if number >= 0 or not _is_above_header(cells):
            number += 1
        yield Record(number, line, cells, end, unclosed)


def _is_above_header(cells: list[str]) -> bool:
    text = "".join(cells).strip(' \t"\ufeff')
    return not text or _SEPARATOR_LINE.fullmatch(text) is not None


@lru_cache(maxsize=8)
def _cell_pattern(delimiter: str) -> re.Pattern[str]:
    """One cell of a line that holds quotes; an unclosed quoted cell takes the rest of the line."""
    d = re.escape(delimiter)
    closed = rf'"{_INSIDE}"[^{d}]*+'
    padded = rf' ++"{_INSIDE}" *+(?={d}|\Z)'
    return re.compile(rf'({closed}|".*+|{padded}|[^{d}]*+)(?:{d}|(\Z))', re.DOTALL)


class _Lines:
    """Physical lines with their ends, one at a time, and back again."""

    def __init__(self, pieces: Iterable[str]) -> None:
        self._source = self._split(pieces)
        self._returned: deque[tuple[str, str]] = deque()
        self.taken = 0

    def take(self) -> tuple[str, str] | None:
        line = self._returned.popleft() if self._returned else next(self._source, None)
        self.taken += line is not None
        return line

    def give_back(self, lines: list[tuple[str, str]]) -> None:
        self._returned.extendleft(reversed(lines))
        self.taken -= len(lines)

    def _split(self, pieces: Iterable[str]) -> Iterator[tuple[str, str]]:
        parts: list[str] = []
        size, held = 0, ""
        for piece in pieces:
            text = held + piece
            held = "\r" if text.endswith("\r") else ""
            text, start = text.removesuffix(held), 0
            for found in _LINE_END.finditer(text):
                parts.append(text[start : found.start()])
                yield "".join(parts), found[0]
                parts, size, start = [], 0, found.end()
            parts.append(text[start:])
            size += len(text) - start
            if size > MAX_RECORD:
                raise _row_too_long(self.taken + 1)
        if last := "".join(parts) + held:
            end = held or odd_byte(last)
            yield last.removesuffix(end), end


class _Rows:
    def __init__(self, lines: _Lines, delimiter: str) -> None:
        self._lines = lines
        self._delimiter = delimiter
        self._pattern = _cell_pattern(delimiter)

    def __iter__(self) -> Iterator[tuple[int, list[str], str, tuple[int, ...]]]:
        while (taken := self._lines.take()) is not None:
            content, end = taken
            line = self._lines.taken
            if '"' in content:
                yield (line, *self._quoted(content, end))
            elif len(content) >= MAX_COLUMNS and content.count(self._delimiter) >= MAX_COLUMNS:
                raise _too_many_columns(line)
            else:
                yield line, content.split(self._delimiter), end, ()

    def _quoted(self, content: str, end: str) -> tuple[list[str], str, tuple[int, ...]]:
        cells: list[str] = []
        unclosed: list[int] = []
        start_line, size = self._lines.taken, 0
        while True:
            cells += self._split(content)
            if not self._is_open(cells[-1]):
                return cells, end, tuple(unclosed)
            size += len(content)
            if size > MAX_RECORD:
                raise _row_too_long(start_line)
            opened = cells.pop()
            closing = self._close(opened, end)
            if closing is not None:
                content, end = closing
                continue
            unclosed.append(len(cells))
            literal, delimiter, content = opened.partition(self._delimiter)
            cells.append(literal)
            if not delimiter:
                return cells, end, tuple(unclosed)

    def _split(self, content: str) -> list[str]:
        cells = []
        for found in self._pattern.finditer(content):
            cells.append(found[1])
            if found[2] is not None:
                break
            if len(cells) >= MAX_COLUMNS:
                raise _too_many_columns(self._lines.taken)
        return cells

    @staticmethod
    def _is_open(cell: str) -> bool:
        return cell.startswith('"') and _QUOTED.match(cell) is None

    def _close(self, opened: str, end: str) -> tuple[str, str] | None:
        """The opened cell with the following lines up to its closing quote, and the rest of that last line.

        None, with the lines given back, when no quote closes it: at the end of the file, after MAX_CELL characters,
        or when the next quote is followed by other text, which no writer of quoted cells produces.
        """
        parts, followers, size = [opened, end], [], len(opened)
        while size <= MAX_CELL and (taken := self._lines.take()) is not None:
            followers.append(taken)
            content, line_end = taken
            quote = _ODD_QUOTES.search(content) if '"' in content else None
            if quote is None:
                parts += taken
                size += len(content) + len(line_end)
                continue
            after = content[quote.end() :].lstrip(" ")
            if after and not after.startswith(self._delimiter):
                break
            parts.append(content)
            return "".join(parts), line_end
        self._lines.give_back(followers)
        return None


def _row_too_long(line: int) -> CatalogueError:
    return CatalogueError(
        "row_too_long",
        f"The row that starts at line {line} is longer than 16 million characters, so this is not a readable table.",
    )


def _too_many_columns(line: int) -> CatalogueError:
    return CatalogueError(
        "too_many_columns",
        f"Line {line} has more than {MAX_COLUMNS:,} columns, so this is not a readable table.",
    )
