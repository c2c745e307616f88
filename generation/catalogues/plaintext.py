from __future__ import annotations

import html
import re

import nh3

_TAG = re.compile(r"</?[a-zA-Z][^<>]*+>|<!--|<![a-zA-Z]")
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});")
_BLOCK_END = re.compile(r"<(?:br|hr)\b[^<>]*+>|</(?:p|div|li|ul|ol|h[1-6]|tr|table|section|article|dt|dd)\s*+>", re.I)
_CELL_END = re.compile(r"</(?:td|th)\s*+>", re.IGNORECASE)
_SURROGATE = re.compile("[\ud800-\udfff]")
# Controls, soft hyphen, zero-width and bidirectional marks, tags. A joiner stays inside emoji and non-Latin words.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e0fff]"
    "|(?<![^\x00-\x7f])[\u200c\u200d]|[\u200c\u200d](?![^\x00-\x7f])"
)
_SPACES = re.compile(r"[^\S\n]+")
_NEWLINES = re.compile(r" ?\n[ \n]*")


def clean_text(value: str) -> str:
    """One cell as text that a database and a prompt can take: visible characters, single spaces, line breaks kept."""
    if value.isascii() and value.isprintable() and "  " not in value:
        return value.strip()
    text = _SURROGATE.sub("\ufffd", value.replace("\r\n", "\n").replace("\r", "\n"))
    text = _SPACES.sub(" ", _INVISIBLE.sub("", text))
    return _NEWLINES.sub("\n", text).strip()


def storable(value: str) -> str:
    """The cell as received, less what PostgreSQL cannot hold: NUL goes, undecodable bytes show as U+FFFD."""
    return _SURROGATE.sub("\ufffd", value.replace("\0", "")) if not value.isprintable() else value


def holds_html(value: str) -> bool:
    return "<" in value and _TAG.search(value) is not None


def html_to_text(value: str) -> str:
    """Plain text of a cell that may hold HTML: no tags, no scripts or styles, one line per block."""
    if holds_html(value):
        broken = _CELL_END.sub(" ", _BLOCK_END.sub(r"\g<0>" + "\n", storable(value)))
        value = html.unescape(nh3.clean(broken, tags=set()))
    elif "&" in value and _ENTITY.search(value):
        value = html.unescape(value)
    return clean_text(value)
