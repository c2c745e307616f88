"""An agent writes and reads its costs on the running product."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.agents import ask, said
from tests.races.product import Product, eventually

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("product")]

KETTLE = {"title": "Enamel Kettle", "attributes": {"Material": "enamelled steel", "Capacity": "1.5 l"}}

FREE_LINES = "SELECT count(*) FROM accounts_usageentry WHERE text_id::text = %s AND basis = 'free'"


def test_agent_describes_once_and_reads_what_it_cost(product: Product) -> None:
    key = product.create_key("Agents")

    foreseen, first, again = ask(
        product.url,
        key,
        ("estimate", {"product": KETTLE}),
        ("describe", {"product": KETTLE}),
        ("describe", {"product": {**KETTLE, "attributes": {"capacity": "1500 ml", "material": "Enamelled Steel"}}}),
    )

    assert not foreseen.is_error, said(foreseen)
    assert (foreseen.structured_content["calls"], foreseen.structured_content["fits_budget"]) == (1, True)
    assert not first.is_error, said(first)
    assert first.structured_content["source"] == "model"
    assert any(row["facts"] for row in first.structured_content["evidence"])
    cost = Decimal(first.structured_content["cost_usd"])
    assert 0 < cost <= Decimal(foreseen.structured_content["ceiling_usd"])
    assert not again.is_error, said(again)
    assert again.structured_content["text"] == first.structured_content["text"]
    assert (again.structured_content["source"], again.structured_content["cost_usd"]) == ("exact", "0.00")
    # The paid one counts at once, the free one as soon as a worker has carried it over.
    assert eventually(lambda: product.fetch(FREE_LINES, again.structured_content["id"]) == [(1,)], pause=0.3)
    used = usage(product, key)
    assert {name: used[name] for name in ("texts", "free", "calls")} == {"texts": 2, "free": 1, "calls": 1}
    assert Decimal(used["cost_usd"]) == Decimal(used["budget"]["spent_usd"]) == cost


def usage(product: Product, key: str) -> Any:
    [answer] = ask(product.url, key, ("usage", {"days": 1}))
    assert not answer.is_error, said(answer)
    return answer.structured_content


def test_unknown_key_is_told_so(product: Product) -> None:
    [answer] = ask(product.url, "co_00000000.unknown", ("describe", {"product": KETTLE}))

    assert answer.is_error
    assert "unauthenticated: " in said(answer)
