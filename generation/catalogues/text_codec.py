from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator

BOMS = {"utf-8": codecs.BOM_UTF8, "utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}
ENCODINGS = ("utf-8", "cp1252", "utf-16-le", "utf-16-be")
PIECE = 64 * 1024

# A decoder never leaves a high and a low surrogate side by side, so this pair is free to carry a UTF-16 file's odd
# last byte through text and back.
_ODD_BYTE = re.compile("\udbff[\udc00-\udcff]\\Z")


def decode_pieces(chunks: Iterable[bytes], encoding: str) -> Iterator[str]:
    """Text of any bytes at all, such that `encode_text` gives the same bytes back."""
    decode = _decode_utf16 if encoding.startswith("utf-16") else _decode_bytes
    return decode(_slices(chunks), encoding)


def encode_text(text: str, encoding: str) -> bytes:
    if not encoding.startswith("utf-16"):
        return text.encode(encoding, "surrogateescape")
    odd = odd_byte(text)
    whole = text.removesuffix(odd).encode(encoding, "surrogatepass")
    return whole + bytes([ord(odd[1]) - 0xDC00]) if odd else whole


def odd_byte(text: str) -> str:
    """The two characters that stand for an odd last byte at the end of a text, or nothing."""
    found = _ODD_BYTE.search(text)
    return found[0] if found else ""


def skip_bom(chunks: Iterable[bytes], encoding: str) -> tuple[bytes, Iterator[bytes]]:
    """The byte order mark that the file really starts with (or nothing), and the rest."""
    bom = BOMS.get(encoding, b"")
    source = iter(chunks)
    head = b""
    for chunk in source:
        head += chunk
        if len(head) >= len(bom):
            break
    found = bom if bom and head.startswith(bom) else b""
    return found, _chain(head[len(found) :], source)


def _chain(head: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield head
    yield from rest


def _slices(chunks: Iterable[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        for start in range(0, len(chunk), PIECE):
            yield bytes(chunk[start : start + PIECE])


def _decode_bytes(slices: Iterator[bytes], encoding: str) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(encoding)("surrogateescape")
    for piece in slices:
        yield decoder.decode(piece)
    yield decoder.decode(b"", final=True)


def _decode_utf16(slices: Iterator[bytes], encoding: str) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(encoding)("surrogatepass")
    odd = b""
    for piece in slices:
        whole = odd + piece
        even = len(whole) & ~1
        odd = whole[even:]
        yield decoder.decode(whole[:even])
    yield decoder.decode(b"", final=True)
    if odd:
        yield "\udbff" + chr(0xDC00 + odd[0])
