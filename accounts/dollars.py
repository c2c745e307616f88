"""Nano-dollars in words: exact for programs and ledgers, rounded for people. Plain Python."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, ROUND_UP, Context, Decimal

NANOS_PER_DOLLAR = 1_000_000_000
NANOS_PER_CENT = NANOS_PER_DOLLAR // 100
TEN_CENTS = 10 * NANOS_PER_CENT
MOST_DOLLARS = 1_000_000  # that anybody may name as a cap
TWO_FIGURES = 2


def decimal_usd(nanos: int) -> str:
    """Exact decimal string, at least two decimals: 1_250_000 nano-dollars -> "0.00125"."""
    whole, rest = divmod(abs(nanos), NANOS_PER_DOLLAR)
    decimals = f"{rest:09d}".rstrip("0").ljust(2, "0")
    return f"{'-' if nanos < 0 else ''}{whole}.{decimals}"


def usd(nanos: int) -> str:
    """Exact, with at least two decimals unless it is nothing: "$0.0042", "$24.00", "$0"."""
    if not nanos:
        return "$0"
    whole, _, decimals = decimal_usd(abs(nanos)).partition(".")
    return f"{'−' if nanos < 0 else ''}${int(whole):,}.{decimals}"


def about_usd(nanos: int) -> str:
    """Two figures are enough for a guess: "$0.0042" for 4_187_000."""
    return usd(_to_figures(nanos, ROUND_HALF_UP))


def round_usd(nanos: int | None) -> str:
    """To the cent from ten cents on, where more would only be noise; below that two figures: "$3.10", "$0.0042"."""
    return usd(_to_cents(nanos or 0, ROUND_HALF_UP))


def most_usd(nanos: int) -> str:
    """As `round_usd`, but upwards, so that "at most" stays true: "$0.17" for 165_957_668."""
    return usd(_to_cents(nanos, ROUND_UP))


def cents_usd(cents: int) -> str:
    """A price or an invoice's amount, which Stripe counts in cents: "$24", "$24.50", "−$3.20"."""
    whole, rest = divmod(abs(cents), 100)
    return f"{'−' if cents < 0 else ''}${whole:,}{f'.{rest:02d}' if rest else ''}"


def bare_usd(nanos: int | None) -> str:
    """As one would type it into a field: "25.00"; nothing for no amount."""
    return "" if nanos is None else decimal_usd(nanos)


def _to_cents(nanos: int, rounding: str) -> int:
    if abs(nanos) < TEN_CENTS:
        return _to_figures(nanos, rounding)
    return int(Decimal(nanos).scaleb(-9).quantize(Decimal("0.01"), rounding).scaleb(9))


def _to_figures(nanos: int, rounding: str) -> int:
    return int(Context(prec=TWO_FIGURES, rounding=rounding).create_decimal(Decimal(nanos)))
