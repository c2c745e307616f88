"""What a request can be as large as, and a reply as long as, before either is written."""

from __future__ import annotations

import math

from generation.facts import WORD_BUDGETS, Brief, Task
from generation.prompts.facts_block import block
from generation.prompts.system import SYSTEM

# Tasks that are about a text there is.
WORKED_ON = (Task.REWRITE, Task.TRANSLATE)
# Tokens per word, generously: several languages split words into three pieces and more.
TOKENS_PER_WORD = 4
TOKENS_FOR_FIELD = {"seo_title": 60, "meta_description": 90, "bullets": 300}
GROWTH_OF_TRANSLATIONS = 1.3
# Tone, length, channel, labels, what slots need, the shape of the reply and the complaints of a second attempt; voice
# and instructions are counted apart.
WISHES_BYTES = 3_500


# Of the text that a product has, as far as it is worked on. What a run of such texts can cost is told before they are
# read, so a longer one is not.
MOST_ORIGINAL_WORDS, MOST_ORIGINAL_BYTES = 500, 6_000


def fits(original: str) -> bool:
    return len(original.split()) <= MOST_ORIGINAL_WORDS and _block_bytes(original) <= MOST_ORIGINAL_BYTES


def max_output_tokens(brief: Brief) -> int:
    _, most_words = WORD_BUDGETS[brief.length]
    if brief.task == Task.TRANSLATE:
        given = len(brief.original.split()) if brief.original else MOST_ORIGINAL_WORDS
        most_words = max(most_words, math.ceil(given * GROWTH_OF_TRANSLATIONS))
    return most_words * TOKENS_PER_WORD + sum(TOKENS_FOR_FIELD.get(field, 0) for field in brief.fields)


def prompt_bytes(brief: Brief, facts_bytes: int) -> int:
    """Upper bound of a request's size in bytes, and so of its tokens, when only the size of the facts is known; of a
    text to rewrite or translate that is not known yet, the most that it can have."""
    own_words = "".join((brief.voice, brief.instructions, *brief.keywords)).encode()
    is_unread = brief.task in WORKED_ON and not brief.original
    original = MOST_ORIGINAL_BYTES if is_unread else _block_bytes(brief.original)
    return len(SYSTEM.encode()) + facts_bytes + len(own_words) + original + WISHES_BYTES


def _block_bytes(original: str) -> int:
    return len(block("shop_text", original).encode())
