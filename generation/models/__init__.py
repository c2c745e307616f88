from __future__ import annotations

from generation.models.caching import CachedText, Flight
from generation.models.catalogues import Catalogue, CatalogueChunk, ColumnMapping, Product, RowProblem, Variant
from generation.models.providers import LlmCall, LlmModel, Provider
from generation.models.runs import Run, RunItem
from generation.models.texts import Text

__all__ = [
    "CachedText",
    "Catalogue",
    "CatalogueChunk",
    "ColumnMapping",
    "Flight",
    "LlmCall",
    "LlmModel",
    "Product",
    "Provider",
    "RowProblem",
    "Run",
    "RunItem",
    "Text",
    "Variant",
]
