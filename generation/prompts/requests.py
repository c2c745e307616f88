"""One text in one call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from generation.facts import Brief, Facts, Turn
from generation.families import slot_kinds
from generation.llm.types import Request
from generation.prompts.context import context_lines, extra_lines
from generation.prompts.facts_block import PROSE_CHARS, block, facts_block
from generation.prompts.shapes import FIELDS_REPLY, fields_schema, limits_line
from generation.prompts.sizes import WORKED_ON, max_output_tokens
from generation.prompts.system import SYSTEM
from generation.prompts.turns import latest


def build_request(
    brief: Brief,
    *,
    workspace_id: UUID,
    call_id: UUID,
    deadline_seconds: float,
    complaints: Sequence[str] = (),
    variation: int = 0,
    is_structured: bool = False,
) -> Request:
    """`complaints` are the output check's words on the previous attempt; `variation` asks for another wording;
    `is_structured` asks for several fields as JSON (`generation.llm.replies.plain_reply`), except in a conversation,
    where a reply may be no text at all (`generation.llm.replies.declined`)."""
    refused = "Your previous text was refused:\n" + "\n".join(f"- {each}" for each in complaints) if complaints else ""
    has_schema = is_structured and len(brief.fields) > 1 and not brief.turns
    ending = [FIELDS_REPLY, *limits_line(brief, "It")] if has_schema else extra_lines(brief)
    return Request(
        system=SYSTEM,
        context="\n\n".join([*context_lines(brief, workspace_id, brief.facts), *ending]),
        prompt="\n\n".join(_parts(brief, "" if brief.turns else refused, variation)),
        max_tokens=max_output_tokens(brief),
        deadline_seconds=deadline_seconds,
        call_id=str(call_id),
        brief=brief,
        variation=variation,
        reply_schema=fields_schema(brief) if has_schema else None,
        turns=_said(brief, refused),
    )


def _parts(brief: Brief, refused: str, variation: int) -> list[str]:
    parts = [facts_block(brief.facts, most_prose=PROSE_CHARS[brief.length]), *slot_list(brief.facts)]
    if brief.task in WORKED_ON:
        parts.append(block("shop_text", brief.original))
    if variation and not brief.turns:
        parts.append("The shop has seen a version and wants another wording of the same facts.")
    return [*parts, refused] if refused else parts


def _said(brief: Brief, refused: str) -> tuple[Turn, ...]:
    turns = [replace(turn, wish=f"The shop wishes: {turn.wish}") for turn in latest(brief.turns)]
    if turns and refused:
        turns[-1] = replace(turns[-1], wish=f"{turns[-1].wish}\n\n{refused}")
    return tuple(turns)


def slot_list(*products: Facts) -> list[str]:
    kinds = {name: kind for facts in products for name, kind in slot_kinds(facts).items()}
    return ["Slots: " + ", ".join(f"{{{{{name}}}}} ({kind})" for name, kind in kinds.items())] if kinds else []
