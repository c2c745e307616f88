from __future__ import annotations

from collections.abc import Iterable, Iterator

from generation.catalogues.dialect import Dialect
from generation.catalogues.rows import Record, read_text
from generation.catalogues.text_codec import decode_pieces, skip_bom

__all__ = ["Record", "read_records"]


def read_records(chunks: Iterable[bytes], dialect: Dialect) -> Iterator[Record]:
    """Every row of the file in order, read as it streams. Raises CatalogueError only for a row of absurd length.

    The byte order mark, then `encode_text(record.raw(delimiter), encoding)` of every record, is the file again.
    """
    _, rest = skip_bom(chunks, dialect.encoding)
    return read_text(decode_pieces(rest, dialect.encoding), dialect.delimiter)
