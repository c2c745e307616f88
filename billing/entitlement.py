"""What a workspace may have, from what Stripe says of its subscription. Pure: the whole decision is this table.

| Stripe's status                   | plan                | standing                                   |
|-----------------------------------|---------------------|--------------------------------------------|
| `trialing`                        | as bought           | good, with the trial's cap on model spend  |
| `active`                          | as bought           | good                                       |
| `past_due`                        | as bought           | overdue; after the days of grace read-only |
| `unpaid`                          | as bought           | read-only                                  |
| any of these, collection paused   | as bought           | read-only: nobody pays for it              |
| `incomplete`                      | none of it yet      | as it would be without                     |
| `incomplete_expired`, `canceled`  | free                | good                                       |
| `paused` (trial without a card)   | free                | good                                       |
| anything else                     | no change, and staff are told | |

A disputed payment, or one that was paid back, freezes model spend whatever the plan is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

FREE = "free"
Standing = Literal["good", "overdue", "frozen", "read_only"]

# A subscription in one of these is the workspace's one and only: a second must not begin beside it.
LIVE = frozenset({"trialing", "active", "past_due", "unpaid"})
ENDED = frozenset({"canceled", "incomplete_expired"})
KNOWN = LIVE | ENDED | {"incomplete", "paused"}


@dataclass(frozen=True, slots=True)
class Contract:
    """What Stripe says of one subscription."""

    id: str
    status: str
    created_at: datetime
    plan: str | None  # ours, of its price; None when no plan of ours has that price
    grace_until: datetime | None = None
    is_collection_paused: bool = False

    @property
    def is_live(self) -> bool:
        return self.status in LIVE


@dataclass(frozen=True, slots=True)
class Entitlement:
    plan: str
    standing: Standing = "good"
    is_trial: bool = False


class Undecidable(Exception):
    """Stripe says something this table has no row for: change nothing, and tell staff."""


def choose(contracts: Sequence[Contract], kept_id: str | None) -> Contract | None:
    """The one that counts, of those that are live: the one that is kept already, else the oldest."""
    live = sorted((each for each in contracts if each.is_live), key=lambda each: (each.created_at, each.id))
    return next((each for each in live if each.id == kept_id), live[0] if live else None)


def entitle(
    contracts: Sequence[Contract], *, kept_id: str | None, is_money_back: bool, now: datetime
) -> Entitlement | None:
    """None when nothing was ever bought here: the plan is as staff have set it. Raises Undecidable."""
    strange = [each for each in contracts if each.status not in KNOWN]
    if strange:
        raise Undecidable(f"{strange[0].id} has the status “{strange[0].status}”")
    chosen = choose(contracts, kept_id)
    if chosen is None:
        was_bought = any(each.status not in ("incomplete", "incomplete_expired") for each in contracts)
        return Entitlement(FREE) if was_bought else None
    if chosen.plan is None:
        raise Undecidable(f"{chosen.id} has a price that is no plan's")
    return Entitlement(chosen.plan, _standing(chosen, is_money_back, now), is_trial=chosen.status == "trialing")


def _standing(contract: Contract, is_money_back: bool, now: datetime) -> Standing:
    if _owes(contract, now):
        return "read_only"
    if is_money_back:
        return "frozen"
    return "overdue" if contract.status == "past_due" else "good"


def _owes(contract: Contract, now: datetime) -> bool:
    is_late = contract.status == "past_due" and contract.grace_until is not None and contract.grace_until <= now
    return is_late or contract.status == "unpaid" or contract.is_collection_paused
