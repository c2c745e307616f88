"""Stripe's test cards: what each of them does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Card:
    number: str
    brand: str = "visa"
    declines: str = ""  # the decline code of every charge
    declines_at_once: bool = False  # also when it is only saved
    authenticates: Literal["never", "setup", "always"] = "never"
    disputes: str = ""  # the reason of the dispute that follows a charge

    @property
    def last4(self) -> str:
        return self.number[-4:]


CARDS = {
    card.number: card
    for card in (
        Card("4242424242424242"),
        Card("5555555555554444", brand="mastercard"),
        Card("4000000000000002", declines="generic_decline", declines_at_once=True),
        Card("4000000000009995", declines="insufficient_funds", declines_at_once=True),
        Card("4000000000000341", declines="generic_decline"),
        Card("4000002500003155", authenticates="setup"),
        Card("4000002760003184", authenticates="always"),
        Card("4000008260003178", declines="insufficient_funds", authenticates="always"),
        Card("4000000000000259", disputes="fraudulent"),
        Card("4000000000001976", disputes="inquiry"),
    )
}

# Payment methods and tokens that Stripe's own examples name.
NAMED = {
    "pm_card_visa": "4242424242424242",
    "tok_visa": "4242424242424242",
    "pm_card_us": "4242424242424242",
    "pm_card_mastercard": "5555555555554444",
    "tok_mastercard": "5555555555554444",
    "pm_card_visa_chargeDeclined": "4000000000000002",
    "pm_card_chargeDeclined": "4000000000000002",
    "tok_chargeDeclined": "4000000000000002",
    "pm_card_chargeDeclinedInsufficientFunds": "4000000000009995",
    "pm_card_chargeCustomerFail": "4000000000000341",
    "tok_chargeCustomerFail": "4000000000000341",
    "pm_card_authenticationRequiredOnSetup": "4000002500003155",
    "pm_card_authenticationRequired": "4000002760003184",
    "pm_card_threeDSecure2Required": "4000002760003184",
    "pm_card_threeDSecureRequired": "4000002760003184",
    "pm_card_createDispute": "4000000000000259",
    "tok_createDispute": "4000000000000259",
    "pm_card_createDisputeInquiry": "4000000000001976",
}
