"""Several texts in one call."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from generation.facts import Brief
from generation.llm.types import Request
from generation.prompts.context import context_lines
from generation.prompts.facts_block import PROSE_CHARS, facts_block
from generation.prompts.requests import slot_list
from generation.prompts.shapes import SHARED_REPLY, limits_line, shared_schema
from generation.prompts.sizes import max_output_tokens
from generation.prompts.system import SYSTEM


def part_ids(count: int) -> list[str]:
    return [str(number) for number in range(1, count + 1)]


def build_shared_request(
    briefs: Sequence[Brief], *, workspace_id: UUID, call_id: UUID, deadline_seconds: float
) -> Request:
    """One request for several briefs that differ in nothing but their facts. Reply: `split_shared_reply`."""
    like = briefs[0]
    products = [brief.facts for brief in briefs]
    blocks = [
        facts_block(facts, most_prose=PROSE_CHARS[like.length]).replace(
            "<product_facts>", f'<product_facts id="{number}">', 1
        )
        for number, facts in zip(part_ids(len(briefs)), products, strict=True)
    ]
    context = [*context_lines(like, workspace_id, *products), SHARED_REPLY, *limits_line(like, "Each entry")]
    return Request(
        system=SYSTEM,
        context="\n\n".join(context),
        prompt="\n\n".join([*blocks, *slot_list(*products)]),
        max_tokens=sum(max_output_tokens(brief) for brief in briefs),
        deadline_seconds=deadline_seconds,
        call_id=str(call_id),
        brief=like,
        reply_schema=shared_schema(like),
    )
