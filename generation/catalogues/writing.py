from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping

from accounts.spreadsheets import guard_formula
from generation.catalogues.dialect import Dialect
from generation.catalogues.formats import Format
from generation.catalogues.mapping import Role
from generation.catalogues.plaintext import holds_html
from generation.catalogues.rows import LINE_ENDS, Record, read_text
from generation.catalogues.text_codec import PIECE, decode_pieces, encode_text, skip_bom

CellChanges = Mapping[int, str]

_DROPPED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_BULLET = re.compile(r"[-*•]\s+")
_BULLET_LINE = re.compile(r"^- +", re.MULTILINE)
_PARAGRAPHS = re.compile(r"\n\s*\n")
# What cp1252 lacks and plain typography can say.
_TYPOGRAPHY = str.maketrans(
    {
        "\u2010": "-",
        "\u2011": "-",
        "\u2012": "–",
        "\u2015": "—",
        "\u2212": "-",
        "\u2032": "'",
        "\u2033": '"',
        "\u2192": "->",
        "\u2190": "<-",
        "\u2264": "<=",
        "\u2265": ">=",
        "\u2248": "~",
        "\u2261": "=",
        "\u2002": " ",
        "\u2003": " ",
        "\u2009": " ",
        "\u200a": " ",
        "\u202f": " ",
        "\u00ad": "",
        "\u200b": "",
        "\ufeff": "",
        "\u2044": "/",
        "\u2215": "/",
    }
)


def rewrite(chunks: Iterable[bytes], dialect: Dialect, changes: Callable[[int], CellChanges | None]) -> Iterator[bytes]:
    """The file again, byte for byte, but for the cells that `changes(row number)` names by column index.

    It is asked for every row from the header (0) on, in order. An index past the row's end adds a cell, and the empty
    ones before it. Cells are guarded against formulas and quoted as the file needs.
    """
    bom, rest = skip_bom(chunks, dialect.encoding)
    yield bom
    parts: list[str] = []
    size = 0
    for record in read_text(decode_pieces(rest, dialect.encoding), dialect.delimiter):
        change = changes(record.number) if record.number >= 0 else None
        text = _changed(record, change, dialect) if change else record.raw(dialect.delimiter)
        parts.append(text)
        size += len(text)
        if size >= PIECE:
            yield encode_text("".join(parts), dialect.encoding)
            parts, size = [], 0
    yield encode_text("".join(parts), dialect.encoding)


def render_description(text: str, format: Format, role: Role, was_html: bool) -> str:
    """A plain text as its column holds it: HTML for Shopify, WooCommerce and columns that had tags, else plain.

    Paragraphs are parted by blank lines, bullets start with "- ". SEO fields are one plain line.
    """
    if role in ("seo_title", "meta_description", "title"):
        return " ".join(text.split())
    if format == "woocommerce":
        return _escape_woocommerce(_html(text))
    if format.startswith("shopify") or was_html:
        return _html(text)
    return _plain_bullets(text.strip())


def _changed(record: Record, change: CellChanges, dialect: Dialect) -> str:
    """A stray opening quote elsewhere in the row is made a proper cell: beside ours it would swallow the rest."""
    cells = list(record.raw_cells)
    line_end = next(end for end in (dialect.line_end, record.raw_end, "\n") if end in LINE_ENDS)
    for index in record.unclosed:
        cells[index] = _quoted(cells[index])
    for index, value in sorted(change.items()):
        cells += [""] * (index + 1 - len(cells))
        cells[index] = _cell(value, cells[index], dialect, line_end)
    return dialect.delimiter.join(cells) + record.raw_end


def _cell(value: str, present: str, dialect: Dialect, line_end: str) -> str:
    text = guard_formula(_DROPPED.sub("", value))
    text = _LINE_BREAK.sub(line_end, _encodable(text, dialect.encoding))
    was_quoted = present.lstrip(" ").startswith('"')
    if was_quoted or _needs_quotes(text, dialect.delimiter):
        return _quoted(text)
    return text


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _needs_quotes(text: str, delimiter: str) -> bool:
    return any(mark in text for mark in (delimiter, '"', "\r", "\n")) or text != text.strip()


def _encodable(text: str, encoding: str) -> str:
    """What cp1252 lacks becomes a plain look-alike, an entity in HTML, the bare letter, or nothing."""
    if encoding != "cp1252" or _fits(text):
        return text
    text = text.translate(_TYPOGRAPHY)
    if holds_html(text):
        return text.encode("cp1252", "xmlcharrefreplace").decode("cp1252")
    return "".join(_plain(character) for character in text)


def _fits(text: str) -> bool:
    try:
        text.encode("cp1252")
    except UnicodeEncodeError:
        return False
    return True


def _plain(character: str) -> str:
    if _fits(character):
        return character
    return unicodedata.normalize("NFKD", character).encode("cp1252", "ignore").decode("cp1252")


def _html(text: str) -> str:
    blocks = (block.strip() for block in _PARAGRAPHS.split(_LINE_BREAK.sub("\n", text)))
    return "\n".join(part for block in blocks if block for part in _html_block(block.split("\n")))


def _html_block(lines: list[str]) -> Iterator[str]:
    """Runs of bullets become one list, the lines between them one paragraph."""
    pending: list[str] = []
    in_list = False
    for line in lines:
        bullet = _BULLET.match(line)
        if pending and bool(bullet) != in_list:
            yield _wrap(pending, is_list=in_list)
            pending = []
        in_list = bool(bullet)
        pending.append(html.escape(line[bullet.end() :] if bullet else line, quote=False).strip())
    if pending:
        yield _wrap(pending, is_list=in_list)


def _plain_bullets(text: str) -> str:
    """A text that opens with "- " would look like a formula, so its bullets are round ones."""
    return _BULLET_LINE.sub("• ", text) if _BULLET.match(text) else text


def _wrap(lines: list[str], *, is_list: bool) -> str:
    if is_list:
        return "<ul>" + "".join(f"<li>{line}</li>" for line in lines) + "</ul>"
    return "<p>" + "<br>".join(lines) + "</p>"


def _escape_woocommerce(text: str) -> str:
    return text.replace("\\n", "\\\\n").replace("\n", "\\n")
