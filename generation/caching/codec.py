"""How an entry lies in Valkey. Plain Python.

13 digits   when it ends, in Unix milliseconds: scripts read it (generation/lua, accounts/lua/retire.lua)
4 digits    the length of the head in bytes
head        JSON: what the ledger says of an answer with this text, as accounts.metering.answer_columns
1 letter    how the rest is written: j JSON, z JSON compressed with zstd
rest        the other fields of the entry
"""

from __future__ import annotations

import json
from dataclasses import asdict

import zstandard

from generation.caching.entries import Entry

COMPRESS_FROM = 1024  # bytes
HEAD_AT = 13 + 4


def pack(entry: Entry, ends_ms: int) -> bytes:
    columns = asdict(entry)
    head = json.dumps(
        {
            "source": entry.source,
            "provider": columns.pop("provider"),
            "model_id": columns.pop("model_id"),
            "tier": columns.pop("tier"),
            "saved_nanos": columns.pop("cost_nanos"),
        },
    ).encode()
    return b"%013d%04d%s%s" % (ends_ms, len(head), head, compress(json.dumps(columns).encode()))


def unpack(value: bytes) -> Entry | None:
    """None for what was written by another version of this module."""
    try:
        length = int(value[13:HEAD_AT])
        head = json.loads(value[HEAD_AT : HEAD_AT + length])
        columns = json.loads(decompress(value[HEAD_AT + length :]))
        del head["source"]
        return Entry(cost_nanos=head.pop("saved_nanos"), **head, **columns)
    except (ValueError, KeyError, TypeError, zstandard.ZstdError):
        return None


def head_of(value: bytes) -> bytes:
    return value[HEAD_AT : HEAD_AT + int(value[13:HEAD_AT])]


def compress(content: bytes) -> bytes:
    return b"z" + zstandard.compress(content) if len(content) > COMPRESS_FROM else b"j" + content


def decompress(content: bytes) -> bytes:
    if content[:1] == b"z":
        return zstandard.decompress(content[1:])
    if content[:1] == b"j":
        return content[1:]
    raise ValueError("written by another version")
