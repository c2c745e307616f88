"""What the tools take and give, as agents read it. Amounts of money are exact decimal strings."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

AttributeValue = bool | int | float | str | list[str]


class Product(BaseModel):
    """What is known about one product. Every value is a fact; nothing else gets into the text."""

    model_config = ConfigDict(extra="forbid")

    title: str = Field(max_length=500)
    attributes: dict[str, AttributeValue] = Field(
        default_factory=dict, description='Such as {"Material": "linen", "Weight": "180 g"}.'
    )
    features: list[str] = Field(default_factory=list, max_length=100, description="Short statements of fact.")
    category: str = Field(default="", max_length=500)
    brand: str = Field(default="", max_length=500)
    description: str = Field(default="", max_length=20_000, description="The present text, a source of facts.")


Tone = Annotated[
    Literal["neutral", "friendly", "luxurious", "playful", "technical", "persuasive"],
    Field(description="How it reads."),
]
Language = Annotated[Literal["en", "de", "fr", "es", "it", "nl"], Field(description="What it is written in.")]
Length = Annotated[Literal["short", "medium", "long"], Field(description="About 25-60, 60-130 or 130-260 words.")]
Channel = Annotated[Literal["web", "amazon", "google", "ebay"], Field(description="Whose rules it keeps to.")]
Tier = Annotated[
    Literal["auto", "economy", "standard", "premium"],
    Field(
        description="How good a model writes; `auto` takes the cheapest that passes the check. Plans set the highest."
    ),
]
Keywords = Annotated[tuple[str, ...], Field(max_length=20, description="Words to work in, where the facts allow it.")]
Voice = Annotated[str, Field(max_length=1_000, description="How the brand speaks.")]
Instructions = Annotated[str, Field(max_length=1_000, description="Other wishes. They add no facts.")]

Usd = Annotated[str, Field(description="US dollars, exact.")]
OptionalUsd = Annotated[str | None, Field(description="US dollars, exact; null where there is no limit.")]


class Evidence(BaseModel):
    sentence: str
    facts: list[str] = Field(description="Labels of the facts that the sentence stands on.")


class Description(BaseModel):
    id: str
    text: str
    source: str = Field(description="`model`, or the cache layer that served it for nothing.")
    model: str
    cost_usd: Usd
    evidence: list[Evidence]
    remaining: dict[str, Any] = Field(description="What the plan still allows; null where it has no such limit.")


class Estimate(BaseModel):
    products: int
    known: int = Field(description="Products whose text is known already: they are free.")
    calls: int = Field(description="Products that need a model.")
    ceiling_usd: Usd = Field(description="It cannot cost more.")
    likely_usd: Usd
    seconds: float | None = Field(description="About how long it takes.")
    model: str | None
    fits_budget: bool = Field(description="False: it would be refused, or stop half-way, for lack of budget.")
    budget_left_usd: OptionalUsd
    over_quota: int = Field(description="About how many the plan has no place for this month: they would be refused.")


class Money(BaseModel):
    """One budget of the month."""

    limit_usd: OptionalUsd
    plan_limit_usd: OptionalUsd = None
    spent_usd: Usd
    held_usd: Usd = Field(description="Held for texts that are being written right now.")
    left_usd: OptionalUsd
    resets_at: str | None = Field(description="When it starts afresh.")


class Budget(Money):
    key: Money | None = Field(description="The cap of this API key; null when it has none of its own.")


class Day(BaseModel):
    date: str
    texts: int
    free: int
    calls: int
    cost_usd: Usd


class Usage(BaseModel):
    days: int
    texts: int
    free: int = Field(description="Texts that cost nothing: known already, or shared.")
    calls: int = Field(description="Attempts upstream, failed ones included.")
    cost_usd: Usd
    by_day: list[Day]
    budget: Budget
