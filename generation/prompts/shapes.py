"""Replies as JSON: the shape of each, as a schema and in words for models that keep to no schema."""

from __future__ import annotations

from generation.facts import Brief

FIELD_LIMITS = {
    "seo_title": '"seo_title", at most 60 characters',
    "meta_description": '"meta_description", at most 155 characters',
    "bullets": '"bullets", up to five benefit bullets, one a line, at most 120 characters each',
}
FIELDS_REPLY = """\
In place of rule 5, reply with one JSON object and nothing else. "description" holds the text by rules 1 to 4."""
SHARED_REPLY = """\
Several products are given at once, each in a block of its own, <product_facts id="1"> and so on. Write one text for \
each, from its own block alone, as if it were the only one. Nothing of one block may stand in another's text.
In place of rule 5, reply with one JSON object and nothing else: {"texts": [{"id": "1", "description": "…"}]}, one \
entry for each block, in their order, each with the id of its block. "description" holds the text by rules 1 to 4."""


def limits_line(brief: Brief, subject: str) -> list[str]:
    extra = [FIELD_LIMITS[field] for field in brief.fields if field in FIELD_LIMITS]
    return [f"{subject} also has " + " and ".join(extra) + "."] if extra else []


def fields_schema(brief: Brief) -> dict[str, object]:
    return _object(["description", *(field for field in brief.fields if field in FIELD_LIMITS)])


def shared_schema(brief: Brief) -> dict[str, object]:
    """The same for any number of parts and any ids: vendors compile a schema once and keep it."""
    entry = _object(["id", "description", *(field for field in brief.fields if field in FIELD_LIMITS)])
    return {
        "type": "object",
        "properties": {"texts": {"type": "array", "items": entry}},
        "required": ["texts"],
        "additionalProperties": False,
    }


def _object(names: list[str]) -> dict[str, object]:
    return {
        "type": "object",
        "properties": {name: {"type": "string"} for name in names},
        "required": names,
        "additionalProperties": False,
    }
