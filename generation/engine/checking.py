from __future__ import annotations

from generation.facts import Brief, check_text


def complaints_about(fields: dict[str, str], brief: Brief) -> list[str]:
    """The output check's words on every field; the description's length rule does not hold for the short ones."""
    found = [complaint.message for complaint in check_text(fields["description"], brief)]
    for name in brief.fields:
        if name != "description" and fields.get(name):
            found += [c.message for c in check_text(fields[name], brief) if c.kind not in ("too_short", "too_long")]
    return found
