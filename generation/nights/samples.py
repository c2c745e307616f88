"""The sample shop's facts, for the public pool: the only facts that it is ever written from."""

from __future__ import annotations

import functools
from itertools import islice
from pathlib import Path

from generation.catalogues import CatalogueProduct, detect_dialect, group_products, read_records, recognise
from generation.engine.storing import default_wishes
from generation.facts import LANGUAGES, Brief, Facts, brief_from, extract_facts

SAMPLE_ROWS = 200


@functools.lru_cache(maxsize=1)
def sample_shop(path: Path) -> tuple[tuple[Facts, ...], tuple[str, ...]]:
    """The facts of every product, and the fields that the file has columns for."""
    content = path.read_bytes()
    dialect = detect_dialect(content, whole=True)
    table = (record.values for record in read_records([content], dialect) if record.number >= 0)
    header, *sample = islice(table, SAMPLE_ROWS + 1)
    found = recognise(header, sample)
    rows = group_products(read_records([content], dialect), found.mapping, found.format)
    facts = tuple(extract_facts(row.product) for row in rows if isinstance(row, CatalogueProduct))
    return facts, found.mapping.written


def sample_briefs(path: Path) -> list[Brief]:
    """What a new workspace asks for when it changes nothing: every product in every language, English first."""
    all_facts, fields = sample_shop(path)
    return [
        brief_from(default_wishes(fields, language=language), facts) for language in LANGUAGES for facts in all_facts
    ]
