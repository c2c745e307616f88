from __future__ import annotations

import pytest

from accounts.dollars import about_usd, most_usd, usd
from generation.templatetags.wording import delimiter_name, duration, format_name


@pytest.mark.parametrize(
    ("nanos", "shown"),
    [
        (0, "$0"),
        (1, "$0.000000001"),
        (4_200_000, "$0.0042"),
        (50_000_000, "$0.05"),
        (24_000_000_000, "$24.00"),
        (1_234_500_000_000, "$1,234.50"),
    ],
)
def test_money_is_shown_to_the_nano_dollar(nanos: int, shown: str) -> None:
    assert usd(nanos) == shown


def test_a_guess_is_shown_with_two_figures() -> None:
    assert about_usd(4_187_000) == "$0.0042"
    assert about_usd(123_456_789_012) == "$120.00"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.2, "a second"), (39.2, "40 seconds"), (150, "3 minutes"), (6 * 3600, "6 hours")],
)
def test_a_duration_is_said_as_people_say_it(seconds: float, said: str) -> None:
    assert duration(seconds) == said


def test_codes_have_names_and_unknown_codes_stay_readable() -> None:
    assert delimiter_name(";") == "semicolon"
    assert format_name("shopify") == "Shopify"
    assert format_name("magento") == "Magento"


def test_at_most_is_rounded_so_that_it_stays_true() -> None:
    assert most_usd(165_957_668) == "$0.17"
    assert most_usd(1_000_000_001) == "$1.01"
    assert most_usd(538_203) == "$0.00054"
    assert most_usd(0) == "$0"
