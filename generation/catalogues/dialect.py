from __future__ import annotations

import codecs
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from generation.catalogues.errors import CatalogueError
from generation.catalogues.rows import LINE_ENDS, Record, read_text
from generation.catalogues.signatures import refuse_binary, refuse_foreign
from generation.catalogues.text_codec import BOMS, ENCODINGS, decode_pieces

__all__ = ["DELIMITERS", "CatalogueError", "Dialect", "detect_dialect"]

DELIMITERS = (",", ";", "\t", "|")
SAMPLE_ROWS = 100
SAMPLE_CHARACTERS = 256 * 1024


@dataclass(frozen=True, slots=True)
class Dialect:
    encoding: str
    bom: bool
    delimiter: str
    line_end: str

    def __post_init__(self) -> None:
        if self.encoding not in ENCODINGS:
            raise CatalogueError("unreadable", f"The encoding must be one of {', '.join(ENCODINGS)}.")
        if self.delimiter not in DELIMITERS:
            raise CatalogueError("unreadable", "The delimiter must be a comma, a semicolon, a tab or a bar.")
        if self.line_end not in (*LINE_ENDS, "mixed"):
            raise CatalogueError("unreadable", "The line end must be CRLF, LF, CR or mixed.")

    def to_json(self) -> dict[str, str | bool]:
        return {"encoding": self.encoding, "bom": self.bom, "delimiter": self.delimiter, "line_end": self.line_end}

    @classmethod
    def from_json(cls, saved: Mapping[str, object]) -> Dialect:
        """Raises CatalogueError for a choice that does not exist."""
        encoding, delimiter, line_end = (str(saved.get(name, "")) for name in ("encoding", "delimiter", "line_end"))
        return cls(encoding, bool(saved.get("bom")), delimiter, line_end)


def detect_dialect(sample: bytes, *, whole: bool) -> Dialect:
    """How a file is written, from its first bytes (up to 1 MiB; the sample may end within a character or a row).

    Raises CatalogueError (empty, archive, pdf, image, binary, unreadable) for what is no text table.
    """
    refuse_foreign(sample)
    encoding, bom = _detect_encoding(sample, whole=whole)
    if not encoding.startswith("utf-16"):
        refuse_binary(sample)
    body = sample[len(BOMS[encoding]) :] if bom else sample
    text = "".join(decode_pieces([body], encoding))[:SAMPLE_CHARACTERS]
    whole = whole and len(text) < SAMPLE_CHARACTERS
    delimiter = _detect_delimiter(text, whole=whole)
    return Dialect(encoding, bom, delimiter, _detect_line_end(text, delimiter, whole=whole))


def _detect_encoding(sample: bytes, *, whole: bool) -> tuple[str, bool]:
    for encoding, mark in BOMS.items():
        if sample.startswith(mark):
            return encoding, True
    if utf16 := _utf16_by_nuls(sample):
        return utf16, False
    return ("utf-8" if _is_utf8(sample, whole=whole) else "cp1252"), False


def _utf16_by_nuls(sample: bytes) -> str:
    """Latin text in UTF-16 has a NUL in every second byte, and always in the same half."""
    pairs = len(sample) // 2
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if odd * 3 > pairs and even * 20 < odd:
        return "utf-16-le"
    if even * 3 > pairs and odd * 20 < even:
        return "utf-16-be"
    return ""


def _is_utf8(sample: bytes, *, whole: bool) -> bool:
    """A few damaged bytes among many sound multi-byte characters do not make a file cp1252."""
    text = codecs.getincrementaldecoder("utf-8")("surrogateescape").decode(sample, final=whole)
    if text.isascii():
        return True
    damaged = sum("\udc80" <= character <= "\udcff" for character in text)
    sound = len(text) - len(text.encode("ascii", "ignore")) - damaged
    return damaged * 4 <= sound


def _detect_delimiter(text: str, *, whole: bool) -> str:
    if text.lstrip('\ufeff"')[:4].lower() == "sep=" and text.lstrip('\ufeff"')[4:5] in DELIMITERS:
        return text.lstrip('\ufeff"')[4]
    return max(DELIMITERS, key=lambda delimiter: _agreement(text, delimiter, whole=whole))


def _agreement(text: str, delimiter: str, *, whole: bool) -> float:
    """How evenly a delimiter cuts the rows into as many cells as the header has, weighted by that number.

    It counts half when it tears a bracket in the header apart: "Categories (x,y,z)".
    """
    rows = islice(_sample_records(text, delimiter, whole=whole), SAMPLE_ROWS)
    header, *data = [row.raw_cells for row in rows if row.number >= 0 and not row.is_blank] or [[""]]
    width, widths = len(header), [len(cells) for cells in data] or [len(header)]
    evenness = sum(min(width, other) / max(width, other) for other in widths) / len(widths)
    torn = any(name.count("(") != name.count(")") for name in header)
    return evenness**2 * (width - 1) * (0.5 if torn else 1.0)


def _detect_line_end(text: str, delimiter: str, *, whole: bool) -> str:
    ends = {record.raw_end for record in _sample_records(text, delimiter, whole=whole)}.intersection(LINE_ENDS)
    return "mixed" if len(ends) > 1 else next(iter(ends), "\n")


def _sample_records(text: str, delimiter: str, *, whole: bool) -> Iterator[Record]:
    """Records of a sample; where it was cut, without the last one and whatever an open quote makes doubtful."""
    last = None
    for record in read_text([text], delimiter):
        if record.unclosed and not whole:
            return
        if last is not None:
            yield last
        last = record
    if last is not None and whole:
        yield last
