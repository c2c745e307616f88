"""A conversation about a text, no longer than a model needs to go on with it."""

from __future__ import annotations

from collections.abc import Sequence

from generation.facts import Turn

# Bytes of all that was said, and so at most as many tokens. The facts come on top and are never cut.
MOST_TURNS_BYTES = 12_000


def latest(turns: Sequence[Turn], most_bytes: int = MOST_TURNS_BYTES) -> tuple[Turn, ...]:
    """The newest turns that fit, oldest first. The very last is always among them: it says what is wished now."""
    kept: list[Turn] = []
    room = most_bytes
    for turn in reversed(turns):
        room -= len((turn.text + turn.wish).encode())
        if kept and room < 0:
            break
        kept.append(turn)
    return tuple(reversed(kept))
