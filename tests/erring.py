"""A model that errs: how hard a request is, and whether a model of a known error rate gets its text wrong.

Chance by a hash of model and request: the same request fares the same in every run, one with the check's complaints
in it is another draw.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

MANY_FACTS, MANY_WORDS = 40, 260
WORDS = re.compile(r"Length: \d+ to (\d+) words")
WRONG = " It weighs 77 kg and was made in Paris."


def difficulty(request: dict[str, Any]) -> float:
    """0 to 1: the mean of how many facts, how long, in which language and with how much of the shop's own to heed."""
    asked = json.dumps([request.get("system", ""), request["messages"]], ensure_ascii=False)
    words = WORDS.search(asked)
    parts = (
        min(asked.count(r"\"label\":") / MANY_FACTS, 1),
        min(int(words[1]) / MANY_WORDS, 1) if words else 0,
        "Language: English" not in asked,
        "The shop asks" in asked or "The shop's voice" in asked,
    )
    return sum(parts) / len(parts)


def error_rate(request: dict[str, Any], rates: dict[str, float], hard_category: str) -> float:
    """`rates` are of the hardest requests, by model. Of the hard category every text has four times as many chances to
    go wrong, however little is asked."""
    rate = rates.get(request["model"], 0)
    if hard_category and hard_category in json.dumps(request["messages"]):
        return 1 - (1 - rate) ** 4
    return rate * difficulty(request)


def errs(request: dict[str, Any], rates: dict[str, float], hard_category: str) -> bool:
    asked = json.dumps([request["model"], request.get("system", ""), request["messages"]])
    draw = int.from_bytes(hashlib.sha256(asked.encode()).digest()[:8]) / 2**64
    return draw < error_rate(request, rates, hard_category)
