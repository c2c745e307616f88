"""Catalogue files, read and written without loss: dialect, records, formats, products, and the file given back."""

from __future__ import annotations

from accounts.spreadsheets import guard_formula
from generation.catalogues.dialect import DELIMITERS, Dialect, detect_dialect
from generation.catalogues.errors import CatalogueError
from generation.catalogues.formats import Format, Recognition, recognise
from generation.catalogues.mapping import (
    ROLES,
    WRITTEN_ROLES,
    Mapping,
    Role,
    header_labels,
    header_signature,
    is_role,
    validate_mapping,
)
from generation.catalogues.plaintext import holds_html, html_to_text, storable
from generation.catalogues.products import CatalogueProduct, SkippedRow, group_products
from generation.catalogues.records import Record, read_records
from generation.catalogues.row_problems import RowProblem
from generation.catalogues.text_codec import ENCODINGS
from generation.catalogues.writing import render_description, rewrite

__all__ = [
    "DELIMITERS",
    "ENCODINGS",
    "ROLES",
    "WRITTEN_ROLES",
    "CatalogueError",
    "CatalogueProduct",
    "Dialect",
    "Format",
    "Mapping",
    "Recognition",
    "Record",
    "Role",
    "RowProblem",
    "SkippedRow",
    "detect_dialect",
    "group_products",
    "guard_formula",
    "header_labels",
    "header_signature",
    "holds_html",
    "html_to_text",
    "is_role",
    "read_records",
    "recognise",
    "render_description",
    "rewrite",
    "storable",
    "validate_mapping",
]
