from __future__ import annotations

import codecs
import re

from generation.catalogues.errors import CatalogueError

_WORKBOOK = "This is an Excel workbook. Save it as CSV and upload that."
_OPEN_DOCUMENT = "This is an OpenDocument spreadsheet. Save it as CSV and upload that."
_ARCHIVE = "This is a compressed archive. Unpack it and upload the CSV file inside."
_PDF = "This is a PDF. Export the products as CSV from your shop and upload that."
_IMAGE = "This is an image. Export the products as CSV from your shop and upload that."
_BINARY = "This is a program or another binary file, not a table. Upload a CSV or TSV file."

_SIGNATURES = (
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "archive", _WORKBOOK),
    (b"\x1f\x8b", "archive", _ARCHIVE),
    (b"7z\xbc\xaf\x27\x1c", "archive", _ARCHIVE),
    (b"Rar!\x1a\x07", "archive", _ARCHIVE),
    (b"BZh", "archive", _ARCHIVE),
    (b"\xfd7zXZ\x00", "archive", _ARCHIVE),
    (b"\x28\xb5\x2f\xfd", "archive", _ARCHIVE),
    (b"%PDF-", "pdf", _PDF),
    (b"\x89PNG\r\n\x1a\n", "image", _IMAGE),
    (b"\xff\xd8\xff", "image", _IMAGE),
    (b"GIF87a", "image", _IMAGE),
    (b"GIF89a", "image", _IMAGE),
    (b"II*\x00", "image", _IMAGE),
    (b"MM\x00*", "image", _IMAGE),
    (b"\x7fELF", "binary", _BINARY),
    (b"SQLite format 3\x00", "binary", _BINARY),
    (codecs.BOM_UTF32_LE, "unreadable", "This file is encoded as UTF-32. Save it as UTF-8 and upload that."),
    (codecs.BOM_UTF32_BE, "unreadable", "This file is encoded as UTF-32. Save it as UTF-8 and upload that."),
)
_WEB_PAGE = re.compile(rb"\s*+<(?:!doctype\s+html|html[\s>])", re.IGNORECASE)
_MARKUP = re.compile(rb"\s*+<\?xml\s")
_JSON = re.compile(rb'\s*+(?:\{\s*+["}]|\[\s*+[{\]])')
_CONTROLS = bytes(range(9)) + bytes(range(14, 32)) + b"\x7f"


def refuse_foreign(sample: bytes) -> None:
    """Raise CatalogueError, with what to do, for what is recognisably another kind of file."""
    if not sample.strip(b" \t\r\n\x00\xef\xbb\xbf\xff\xfe"):
        raise CatalogueError("empty", "This file is empty. Export the products again and upload the new file.")
    if sample.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        raise CatalogueError("archive", _zip_message(sample))
    for signature, code, message in _SIGNATURES:
        if sample.startswith(signature):
            raise CatalogueError(code, message)
    if sample.startswith(b"RIFF") and sample[8:12] == b"WEBP":
        raise CatalogueError("image", _IMAGE)
    _refuse_markup(sample.removeprefix(codecs.BOM_UTF8))


def refuse_binary(sample: bytes) -> None:
    """Raise CatalogueError when control bytes (NUL included) make up more than a tenth of a one-byte text."""
    controls = len(sample) - len(sample.translate(None, _CONTROLS))
    if controls * 10 > len(sample):
        raise CatalogueError("binary", _BINARY)


def _refuse_markup(sample: bytes) -> None:
    if _WEB_PAGE.match(sample):
        raise CatalogueError("unreadable", "This is a web page, perhaps a sign-in page saved by mistake, not a CSV.")
    if _MARKUP.match(sample):
        raise CatalogueError("unreadable", "This is an XML file. Export the products as CSV and upload that.")
    if _JSON.match(sample):
        raise CatalogueError("unreadable", "This is a JSON file. Export the products as CSV and upload that.")


def _zip_message(sample: bytes) -> str:
    if b"[Content_Types].xml" in sample or b"xl/" in sample:
        return _WORKBOOK
    if b"application/vnd.oasis.opendocument" in sample:
        return _OPEN_DOCUMENT
    return _ARCHIVE
