"""Anthropic's Messages API."""

from __future__ import annotations

from generation.llm.providers.anthropic.messages import complete
from generation.llm.providers.anthropic.retiring import retires_on

__all__ = ["complete", "retires_on"]
