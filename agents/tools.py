from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations
from pydantic import Field

from agents.api import Api
from agents.shapes import (
    Budget,
    Channel,
    Description,
    Estimate,
    Instructions,
    Keywords,
    Language,
    Length,
    Product,
    Tier,
    Tone,
    Usage,
    Voice,
)

INSTRUCTIONS = """\
ContentOpt writes product descriptions that state only what the product's facts state, under this API key's own caps.
A text that is known already is free, so asking again for the same product costs nothing. Ask `estimate` before a large
job: it says the most it can cost and whether the budget has room. Ask `usage` for what was spent and what is left.
When a tool refuses with `budget_exhausted` or `quota_exceeded`, asking again does not help before the date in the
message: tell the person. With `rate_limited`, `budget_in_flight` or `provider_unavailable`, wait `retry_after` seconds.
"""

READS = ToolAnnotations(read_only_hint=True, open_world_hint=False)
# The same call again gives the same text, and costs nothing.
WRITES = ToolAnnotations(read_only_hint=False, destructive_hint=False, idempotent_hint=True, open_world_hint=False)

CatalogueId = Annotated[UUID, Field(description="An imported file, to estimate all its products.")]


class Tools:
    def __init__(self, api: Api) -> None:
        self._api = api

    async def describe(
        self,
        product: Product,
        tone: Tone = "neutral",
        language: Language = "en",
        length: Length = "medium",
        channel: Channel = "web",
        tier: Tier = "auto",
        keywords: Keywords = (),
        voice: Voice = "",
        instructions: Instructions = "",
    ) -> Description:
        """Write the description of one product from its facts alone, with the facts behind each sentence.

        Costs what `cost_usd` says, under the caps of this API key; nothing when the text is known already.
        """
        wishes = _wishes(tone, language, length, channel, tier, keywords, voice, instructions)
        return Description.model_validate(await self._api.post("descriptions", {"product": _facts(product), **wishes}))

    async def estimate(
        self,
        product: Product | None = None,
        catalogue: CatalogueId | None = None,
        tone: Tone = "neutral",
        language: Language = "en",
        length: Length = "medium",
        channel: Channel = "web",
        tier: Tier = "auto",
        keywords: Keywords = (),
        voice: Voice = "",
        instructions: Instructions = "",
    ) -> Estimate:
        """What a text, or all texts of an imported catalogue, would cost at most and likely, before anything is spent.

        Give either `product` or `catalogue`, and the same wishes as for the text itself.
        """
        if (product is None) == (catalogue is None):
            raise ToolError("invalid: Give either `product` or `catalogue`.")
        subject = {"product": _facts(product)} if product else {"catalogue": str(catalogue)}
        wishes = _wishes(tone, language, length, channel, tier, keywords, voice, instructions)
        return Estimate.model_validate(await self._api.post("estimates", {**subject, **wishes}))

    async def usage(
        self, days: Annotated[int, Field(ge=1, le=366, description="Today and the days before it.")] = 30
    ) -> Usage:
        """What was written and spent, day by day, and what is left of the budgets of the workspace and of this key."""
        budget = Budget.model_validate(await self._api.get("budget"))
        return Usage.model_validate({**await self._api.get("usage", days=days), "budget": budget})


def _facts(product: Product) -> dict[str, Any]:
    return product.model_dump(exclude_defaults=True)


def _wishes(
    tone: str,
    language: str,
    length: str,
    channel: str,
    tier: str,
    keywords: tuple[str, ...],
    voice: str,
    instructions: str,
) -> dict[str, Any]:
    return {
        "tone": tone,
        "language": language,
        "length": length,
        "channel": channel,
        "tier": tier,
        "keywords": keywords,
        "voice": voice,
        "instructions": instructions,
    }


def make_server(api: Api) -> MCPServer:
    tools = Tools(api)
    server = MCPServer("contentopt", title="ContentOpt", instructions=INSTRUCTIONS, log_level="WARNING")
    server.add_tool(tools.describe, title="Write a description", annotations=WRITES)
    server.add_tool(tools.estimate, title="Estimate the cost", annotations=READS)
    server.add_tool(tools.usage, title="Usage and budget", annotations=READS)
    return server
