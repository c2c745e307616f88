from __future__ import annotations

from generation.models.batches import BatchPart, LlmBatch
from generation.models.caching import CachedTemplate, CachedText, Flight
from generation.models.catalogues import (
    Catalogue,
    CatalogueChunk,
    ColumnMapping,
    Product,
    RowProblem,
    Variant,
    quota_key,
    quota_key_of_facts,
)
from generation.models.comments import Comment
from generation.models.nights import Night, NightItem
from generation.models.providers import LONG_RATES, LlmCall, LlmModel, ModelPrice, Provider
from generation.models.routing import EconomyOutcome, Learning, RoutingRule
from generation.models.runs import Run, RunItem
from generation.models.streams import Stream
from generation.models.texts import Refinement, Text

__all__ = [
    "LONG_RATES",
    "BatchPart",
    "CachedTemplate",
    "CachedText",
    "Catalogue",
    "CatalogueChunk",
    "ColumnMapping",
    "Comment",
    "EconomyOutcome",
    "Flight",
    "Learning",
    "LlmBatch",
    "LlmCall",
    "LlmModel",
    "ModelPrice",
    "Night",
    "NightItem",
    "Product",
    "Provider",
    "Refinement",
    "RoutingRule",
    "RowProblem",
    "Run",
    "RunItem",
    "Stream",
    "Text",
    "Variant",
    "quota_key",
    "quota_key_of_facts",
]
