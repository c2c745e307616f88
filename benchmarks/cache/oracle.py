"""Whether a served text is about what was asked for. Knows the variant; knows nothing of how the product decides.

The provider on loopback states the facts it was given, so a text that was written for another variant betrays itself.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable

from benchmarks.cache.catalogue import Variant

# To one unit for each dimension, so that 0.5 L is 500 ml.
UNITS = {
    "g": (1, "g"), "kg": (1000, "g"), "kilograms": (1000, "g"), "mm": (1, "mm"), "cm": (10, "mm"), "m": (1000, "mm"),
    "metres": (1000, "mm"), "ml": (1, "ml"), "l": (1000, "ml"), "litres": (1000, "ml"), "w": (1, "w"),
    "watts": (1, "w"), "kw": (1000, "w"), "h": (1, "h"), "hours": (1, "h"), "v": (1, "v"), "volts": (1, "v"),
    "mah": (1, "mah"), "ah": (1000, "mah"), "gb": (1, "gb"), "k": (1, "k"), "db": (1, "db"),
    "pieces": (1, "pieces"), "pcs": (1, "pieces"), "lm": (1, "lm"), "nm": (1, "nm"), "bar": (1, "bar"), "a": (1, "a"),
}  # fmt: skip
QUANTITY = re.compile(rf"(\d+(?:\.\d+)?)\s*({'|'.join(sorted(UNITS, key=len, reverse=True))})(?![\w-])")
UNIT_IN_LABEL = re.compile(rf"\(({'|'.join(UNITS)})\): (\d+(?:\.\d+)?)")
THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")


def normalise(text: str) -> str:
    text = unicodedata.normalize("NFKC", text.lower()).replace("×", "x").replace("–", "-")
    text = THOUSANDS.sub("", text)
    return QUANTITY.sub(_in_one_unit, UNIT_IN_LABEL.sub(r": \2 \1", text))


def _in_one_unit(match: re.Match[str]) -> str:
    factor, unit = UNITS[match[2]]
    return f"{float(match[1]) * factor:.10g}{unit}"


def states(text: str, value: str) -> bool:
    """Both normalised. As words of their own: `s` is not stated by `men's`, nor `blue` by `blue-black`."""
    return re.search(_as_words(value), text) is not None


def _as_words(value: str) -> str:
    return rf"(?<![\w'’-]){re.escape(value)}(?![\w-])"


def find_fault(text: str, variant: Variant) -> str:
    """Which value of the variant the text lacks, or which of a sibling's it states; empty when it is true."""
    said = normalise(text)
    own = [normalise(value) for _, value in variant.values]
    told = [normalise(value) for _, value in variant.told_apart_by]
    lacking = [value for value in told if not states(said, value)]
    if lacking:
        return f"lacks {lacking[0]}"
    known = {*own, normalise(variant.title), normalise(variant.family.brand)} - {""}
    foreign = {normalise(value) for values in variant.family.values.values() for value in values} - known
    # Longest first: `not included` is no statement of `included`, nor `dark blue` one of `blue`.
    for value in sorted(known | foreign, key=len, reverse=True):
        if value in foreign and states(said, value):
            return f"states {value}"
        said = re.sub(_as_words(value), " ", said)
    return ""


def find_changed_fact(text: str, *, was: str, now: str, asked: str) -> str:
    """The same for a pair of which only the words that differ are known, and all that was asked."""
    said, asked_words = words_in(text), words_in(asked)
    old, new = words_in(was), words_in(now)
    lacking = [word for word in new if word not in old and word not in said]
    if lacking:
        return f"lacks {lacking[0]}"
    stated = [word for word in old if word not in new and word in said and word not in asked_words]
    if stated:
        return f"states {stated[0]}"
    if sorted(old) == sorted(new) and not _in_order(new, said):
        return f"lacks {now} in this order"
    return ""


def words_in(text: str) -> list[str]:
    return re.findall(r"[^\W_]+(?:[.'’-][^\W_]+)*", normalise(text))


def _in_order(words: Iterable[str], text: Iterable[str]) -> bool:
    rest = iter(text)
    return all(word in rest for word in words)


def upper_bound(wrong: int, total: int, level: float = 0.95) -> float:
    """Clopper and Pearson, one-sided: the largest rate at which so few wrong ones are no surprise."""
    if wrong >= total:
        return 1.0
    low, high = wrong / total, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _at_most(wrong, total, middle) > 1 - level else (low, middle)
    return high


def _at_most(wrong: int, total: int, rate: float) -> float:
    """Probability of so many wrong ones or fewer."""
    logs = math.lgamma(total + 1), math.log(rate or 1e-300), math.log1p(-rate)
    return sum(
        math.exp(logs[0] - math.lgamma(k + 1) - math.lgamma(total - k + 1) + k * logs[1] + (total - k) * logs[2])
        for k in range(wrong + 1)
    )
