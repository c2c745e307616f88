"""What is asked for, without the product: the same for every product of a run, and for all of a shop's usual texts."""

from __future__ import annotations

from uuid import UUID

from django.utils.crypto import salted_hmac

from generation.facts import WORD_BUDGETS, Brief, Facts, Task
from generation.families import slot_kinds

LANGUAGES = {"en": "English", "de": "German", "fr": "French", "es": "Spanish", "it": "Italian", "nl": "Dutch"}
EXTRA_LINES = {
    "seo_title": "SEO title: (at most 60 characters)",
    "meta_description": "Meta description: (at most 155 characters)",
    "bullets": "Benefit bullets:\n- (up to five, each on a line of its own, at most 120 characters)",
}
TASKS = {
    Task.REWRITE: "Rewrite the text in <shop_text>.",
    Task.TRANSLATE: "Translate the text in <shop_text> into {language}.",
}
SLOT_RULES = """\
Some values stand as slots, named further down. Other products share your text with other values in them. Copy a slot \
exactly, with its braces. Use it only where any such value can stand unchanged, such as "in {{color}}", "holds \
{{capacity}}" or "Size: {{size}}"; a slot brings its own unit and words. Put no adjective, adverb or comparison near a \
slot, join nothing to it, and say nothing that depends on its value. Leave out a slot that reads badly."""


def context_lines(brief: Brief, workspace_id: UUID, *products: Facts) -> list[str]:
    return [reference(workspace_id), *_wishes(brief), *([SLOT_RULES] if any(map(slot_kinds, products)) else [])]


def reference(workspace_id: UUID) -> str:
    """Sets each workspace's prompts apart from here on: no cache of a vendor's, whose hits can be told by time and by
    counts of tokens, says of one workspace's words to another that somebody sent the same. It names nobody."""
    mark = salted_hmac("generation.prompts", str(workspace_id)).hexdigest()[:16]
    return f"Reference {mark}. It is not for the text."


def _wishes(brief: Brief) -> list[str]:
    fewest, most = WORD_BUDGETS[brief.length]
    language = LANGUAGES[brief.language]
    wishes = [
        *([TASKS[brief.task].format(language=language)] if brief.task in TASKS else []),
        f"Language: {language}. Tone: {brief.tone}. Place: {brief.channel}.",
        f"Length: {fewest} to {most} words, fewer when the facts are few.",
    ]
    if brief.voice:
        wishes.append(f"The shop's voice: {brief.voice}")
    if brief.keywords:
        wishes.append(f"Use these words where the facts support them: {', '.join(brief.keywords)}.")
    if brief.instructions:
        wishes.append(f"The shop asks (rule 1 still holds): {brief.instructions}")
    return wishes


def extra_lines(brief: Brief) -> list[str]:
    extra = [EXTRA_LINES[field] for field in brief.fields if field in EXTRA_LINES]
    return ["End with these lines:\n" + "\n".join(extra)] if extra else []
