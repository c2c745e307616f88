from __future__ import annotations

from generation.facts import Brief
from generation.llm.replies import compose_missing


def compose_reply(brief: Brief, variation: int = 0) -> str:
    facts = brief.facts
    lines = [f"{facts.title}."]
    lines += [f"{fact.display_label}: {fact.value}." for fact in facts.facts if fact.label != "title"][:8]
    fields = compose_missing({"description": " ".join(lines)}, brief.fields, facts)
    extra = [f"{label}: {fields[name]}" for name, label in LINE_LABELS.items() if name in brief.fields]
    return "\n\n".join([fields["description"], "\n".join(extra)]).strip()


LINE_LABELS = {"seo_title": "SEO title", "meta_description": "Meta description"}
