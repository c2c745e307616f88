"""What a vendor's prompt cache holds, and so which tokens of a request are read from it, written to it or neither.

As the vendors describe it. Anthropic: a block marked `cache_control` ends a beginning that is kept for five minutes
from its last use, under one key, model and reply format; any earlier end of a block that is kept already is found;
beginnings below a model's least size are not kept. OpenAI, `gpt-5.6` and later: the same with
`prompt_cache_breakpoint`, for thirty minutes, and one more at the end of the prompt unless `prompt_cache_options` say
explicit; earlier models keep every prompt in steps of 128 tokens from 1,024 on and charge nothing for it.
A beginning can be read once a reply to it was sent.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from dataclasses import dataclass, field
from typing import Any

LEAST = {"claude-haiku-5-5": 512, "claude-sonnet-5-5": 512, "claude-haiku-4-5": 4_096}
USUAL_LEAST = 1_024
STEP = 128
ANTHROPIC_SECONDS, OPENAI_SECONDS = 300, 1_800
CHARGED_FOR = ("gpt-5.6", "gpt-6")  # models that charge for writing


def count_tokens(text: str) -> int:
    return -(-len(text.encode()) // 4)


@dataclass(frozen=True)
class Prompt:
    """Where beginnings end: the text up to there, and whether it is to be kept."""

    account: str
    text: str
    ends: tuple[tuple[str, bool], ...]
    is_charged: bool
    seconds: float
    least: int

    @property
    def tokens(self) -> int:
        return count_tokens(self.text)


@dataclass(frozen=True)
class Counted:
    uncached: int
    cached: int
    written: int
    kept: tuple[str, ...] = ()
    seconds: float = 0


@dataclass
class PromptCache:
    lock: threading.Lock = field(default_factory=threading.Lock)
    until: dict[str, float] = field(default_factory=dict)

    def count(self, prompt: Prompt) -> Counted:
        now = time.monotonic()
        with self.lock:
            known = [text for text, _ in prompt.ends if self.until.get(_name(prompt, text), 0) > now]
        cached = max((count_tokens(text) for text in known), default=0)
        keeps = [text for text, is_kept in prompt.ends if is_kept and count_tokens(text) >= prompt.least]
        written = max([count_tokens(text) - cached for text in keeps] + [0]) if prompt.is_charged else 0
        names = tuple(_name(prompt, text) for text in {*keeps, *known})
        return Counted(prompt.tokens - cached - written, cached, written, names, prompt.seconds)

    def keep(self, counted: Counted) -> None:
        with self.lock:
            self.until.update(dict.fromkeys(counted.kept, time.monotonic() + counted.seconds))

    def forget(self) -> None:
        with self.lock:
            self.until.clear()


def _name(prompt: Prompt, text: str) -> str:
    return hashlib.sha256(f"{prompt.account}\n{text}".encode()).hexdigest()


def anthropic_prompt(request: dict[str, Any], key: str) -> Prompt:
    contents = [request.get("system", ""), *(message["content"] for message in request["messages"])]
    blocks = [block for content in contents for block in _blocks(content)]
    return Prompt(
        account=json.dumps([key, request["model"], request.get("output_config")]),
        text="".join(text for text, _ in blocks),
        ends=_ends(blocks),
        is_charged=True,
        seconds=ANTHROPIC_SECONDS,
        least=LEAST.get(request["model"], USUAL_LEAST),
    )


def openai_prompt(request: dict[str, Any], key: str) -> Prompt:
    blocks = [block for message in request["messages"] for block in _blocks(message["content"])]
    text = "".join(text for text, _ in blocks)
    is_charged = request["model"].startswith(CHARGED_FOR)
    if is_charged:
        is_explicit = request.get("prompt_cache_options", {}).get("mode") == "explicit"
        ends = (*_ends(blocks), *(() if is_explicit else ((text, True),)))
    else:
        sizes = range(USUAL_LEAST * 4, len(text) + 1, STEP * 4)
        ends = tuple((text[:size], True) for size in sizes)
    return Prompt(
        account=json.dumps([key, request["model"], request.get("response_format"), request.get("prompt_cache_key")]),
        text=text,
        ends=ends,
        is_charged=is_charged,
        seconds=OPENAI_SECONDS,
        least=USUAL_LEAST,
    )


def _blocks(content: str | list[dict[str, Any]]) -> list[tuple[str, bool]]:
    if isinstance(content, str):
        return [(content, False)]
    return [
        (block["text"], bool(block.get("cache_control") or block.get("prompt_cache_breakpoint"))) for block in content
    ]


def _ends(blocks: list[tuple[str, bool]]) -> tuple[tuple[str, bool], ...]:
    text, ends = "", []
    for part, is_kept in blocks:
        text += part
        ends.append((text, is_kept))
    return tuple(ends)
