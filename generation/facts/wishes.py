"""Whether a wish asks a text to state what the facts do not."""

from __future__ import annotations

import re
from dataclasses import replace

from generation.facts.check import check_text
from generation.facts.types import Brief, Complaint

# What a wish is to bring into the text, as against one about its tone or length.
ADDS = re.compile(
    r"\b(?:mention|add|include|say|state|tell|highlight|emphasi[sz]e|stress|write that|point out|call it|describe it as"
    r"|erwähn\w*|nenn\w*|schreib\w*|füg\w*|beton\w*|sag\w*"
    r"|mentionne[rz]?|ajoute[rz]?|dis|dites|précise[rz]?"
    r"|menciona\w*|añad\w*|incluye|di que|destaca\w*"
    r"|menzion\w*|aggiung\w*|includi|di' che|sottoline\w*"
    r"|noem|vermeld\w*|voeg|zeg|benadruk)\b",
    re.IGNORECASE,
)
# With one of these a wish may as well be to leave it out.
TAKES_AWAY = re.compile(
    r"\b(?:no|not|don't|do not|never|without|less|fewer|remove|drop|leave out|avoid|delete|cut|stop|instead|rather than"
    r"|nicht|kein\w*|ohne|weniger|entfern\w*|statt|pas|sans|moins|supprime[rz]?|retire[rz]?|sin|menos|quita\w*"
    r"|non|senza|meno|togli\w*|niet|geen|zonder|minder|verwijder\w*)\b",
    re.IGNORECASE,
)
# A name may be the reader's word for something that is known, and a number one of sentences.
_KINDS_OF_TEXTS = frozenset(("name", "number", "off_topic", "too_short", "too_long", "empty", "html", "url", "leak"))


def unsupported_in(wish: str, brief: Brief) -> list[Complaint]:
    """The claims that following the wish would put into the text and that the facts do not support. Only what is
    certain: of any other wish the output check judges the text."""
    if not ADDS.search(wish) or TAKES_AWAY.search(wish):
        return []
    found = [
        complaint
        for language in dict.fromkeys((brief.language, "en"))
        for complaint in check_text(wish, replace(brief, language=language))
        if complaint.kind not in _KINDS_OF_TEXTS
    ]
    return list({complaint.words.casefold(): complaint for complaint in found}.values())
