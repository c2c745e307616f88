"""OpenAI's Chat Completions API, which most other vendors and local servers speak too."""

from __future__ import annotations

from generation.llm.providers.openai.chat import complete

__all__ = ["complete"]
