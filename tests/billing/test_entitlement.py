"""The table of billing.entitlement, row by row."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from billing.entitlement import Contract, Entitlement, Undecidable, choose, entitle

NOW = datetime(2026, 11, 26, tzinfo=UTC)
DAY = timedelta(days=1)


def contract(status: str, number: int = 1, **fields: object) -> Contract:
    usual = {"id": f"sub_{number}", "created_at": NOW - 100 * DAY + number * DAY, "plan": "pro"}
    return Contract(status=status, **{**usual, **fields})  # type: ignore[arg-type]


def decide(*contracts: Contract, kept_id: str | None = None, is_money_back: bool = False) -> Entitlement | None:
    return entitle(contracts, kept_id=kept_id, is_money_back=is_money_back, now=NOW)


@pytest.mark.parametrize(
    ("given", "entitlement"),
    [
        (contract("trialing"), Entitlement("pro", is_trial=True)),
        (contract("active"), Entitlement("pro")),
        (contract("active", is_collection_paused=True), Entitlement("pro", "read_only")),
        (contract("past_due", grace_until=NOW + DAY), Entitlement("pro", "overdue")),
        (contract("past_due", grace_until=NOW), Entitlement("pro", "read_only")),
        (contract("past_due"), Entitlement("pro", "overdue")),
        (contract("past_due", is_collection_paused=True), Entitlement("pro", "read_only")),
        (contract("unpaid"), Entitlement("pro", "read_only")),
        (contract("incomplete"), None),
        (contract("incomplete_expired"), None),
        (contract("canceled"), Entitlement("free")),
        (contract("paused"), Entitlement("free")),
    ],
)
def test_each_status(given: Contract, entitlement: Entitlement | None) -> None:
    assert decide(given) == entitlement


def test_who_never_bought_keeps_what_staff_have_set() -> None:
    assert decide() is None


@pytest.mark.parametrize("given", [contract("invented_later"), contract("active", plan=None)])
def test_what_has_no_row_is_not_decided(given: Contract) -> None:
    with pytest.raises(Undecidable):
        decide(given)


def test_a_checkout_that_is_not_paid_leaves_the_running_plan_alone() -> None:
    assert decide(contract("active"), contract("incomplete", 2, plan="enterprise")) == Entitlement("pro")


def test_money_that_went_back_freezes_any_plan_and_no_free_one() -> None:
    assert decide(contract("active"), is_money_back=True) == Entitlement("pro", "frozen")
    assert decide(contract("unpaid"), is_money_back=True) == Entitlement("pro", "read_only")
    assert decide(contract("canceled"), is_money_back=True) == Entitlement("free")


def test_of_two_the_one_that_is_kept_counts_else_the_oldest() -> None:
    old, new = contract("past_due", 1), contract("active", 2, plan="enterprise")
    assert choose([new, old], None) == old
    assert choose([new, old], "sub_2") == new
    assert choose([contract("canceled", 1), new], "sub_1") == new
    assert decide(new, old, kept_id="sub_2") == Entitlement("enterprise")
