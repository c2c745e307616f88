from __future__ import annotations

from typing import TypedDict

AttributeValue = str | int | float | bool | list[str]


class ProductInput(TypedDict, total=False):
    """What is known about one product, however it came in. Either `prompt` (free text) or the other fields."""

    title: str
    brand: str
    category: str
    attributes: dict[str, AttributeValue]
    features: list[str]
    description: str
    variants: list[dict[str, str]]
    prompt: str
