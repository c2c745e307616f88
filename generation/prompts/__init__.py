"""Brief -> Request: what is the same for all first, then what is the same for a run, then what differs.

Vendors' prompt caches hold beginnings. `system` is the same for every request of the platform, `context` for all
requests of one workspace with the same wishes; only the prompt holds a product.
"""

from __future__ import annotations

from generation.prompts.context import LANGUAGES
from generation.prompts.facts_block import facts_block
from generation.prompts.requests import build_request
from generation.prompts.shared import build_shared_request, part_ids
from generation.prompts.sizes import MOST_ORIGINAL_BYTES, WORKED_ON, fits, max_output_tokens, prompt_bytes
from generation.prompts.system import SYSTEM

__all__ = [
    "LANGUAGES",
    "MOST_ORIGINAL_BYTES",
    "SYSTEM",
    "WORKED_ON",
    "build_request",
    "build_shared_request",
    "facts_block",
    "fits",
    "max_output_tokens",
    "part_ids",
    "prompt_bytes",
]
