"""The staff admin, generation's part. Actions call services; history is read-only."""

from __future__ import annotations

from generation.admin.caching import CachedTemplateAdmin, CachedTextAdmin
from generation.admin.nights import NightAdmin, NightItemAdmin
from generation.admin.registry import LlmModelAdmin, ProviderAdmin
from generation.admin.routing import EconomyOutcomeAdmin, LearningAdmin, RoutingRuleAdmin
from generation.admin.work import (
    CatalogueAdmin,
    CommentAdmin,
    LlmCallAdmin,
    RunAdmin,
    RunItemAdmin,
    TextAdmin,
    WorkspaceWithWorkAdmin,
)

__all__ = [
    "CachedTemplateAdmin",
    "CachedTextAdmin",
    "CatalogueAdmin",
    "CommentAdmin",
    "EconomyOutcomeAdmin",
    "LearningAdmin",
    "LlmCallAdmin",
    "LlmModelAdmin",
    "NightAdmin",
    "NightItemAdmin",
    "ProviderAdmin",
    "RoutingRuleAdmin",
    "RunAdmin",
    "RunItemAdmin",
    "TextAdmin",
    "WorkspaceWithWorkAdmin",
]
