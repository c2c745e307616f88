"""Nano-dollars on pages."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal

from django import template

register = template.Library()

NANOS_PER_DOLLAR = 1_000_000_000
ABOUT = Context(prec=2, rounding=ROUND_HALF_UP)


@register.filter
def usd(nanos: int) -> str:
    """Exact, with at least two decimals unless it is nothing: "$0.0042", "$24.00", "$0"."""
    if not nanos:
        return "$0"
    whole, rest = divmod(nanos, NANOS_PER_DOLLAR)
    decimals = f"{rest:09d}".rstrip("0").ljust(2, "0")
    return f"${whole:,}.{decimals}"


@register.filter
def about_usd(nanos: int) -> str:
    """Two figures are enough for a guess: "$0.0042" for 4_187_000."""
    return usd(int(ABOUT.create_decimal(Decimal(nanos))))
