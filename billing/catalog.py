"""What is for sale: plans and their prices, by the lookup keys they have at Stripe."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from accounts.models import Plan
from billing.gateway import Items, Offer
from billing.models import Subscription

MONTH, YEAR = Subscription.Interval.MONTH, Subscription.Interval.YEAR
MONTHS_OF_A_YEAR = 12


@dataclass(frozen=True, slots=True)
class Sale:
    """A plan and how it is paid for."""

    plan: Plan
    interval: str

    def get_interval_display(self) -> str:
        return str(Subscription.Interval(self.interval).label).lower()

    @property
    def lookup_key(self) -> str:
        return self.plan.stripe_yearly_lookup_key if self.interval == YEAR else self.plan.stripe_lookup_key

    @property
    def amount_cents(self) -> int:
        return self.plan.yearly_price_cents if self.interval == YEAR else self.plan.monthly_price_cents

    @property
    def cents_a_month(self) -> int:
        return round(self.amount_cents / MONTHS_OF_A_YEAR) if self.interval == YEAR else self.amount_cents

    @property
    def seat_key(self) -> str:
        return _by_interval(self.plan.stripe_seat_lookup_key, self.interval)

    @property
    def seat_cents(self) -> int:
        """For one person beyond the plan's own, for as long as the plan itself is paid for."""
        return self.plan.seat_price_cents * (MONTHS_OF_A_YEAR if self.interval == YEAR else 1)

    @property
    def overage_key(self) -> str:
        return _by_interval(self.plan.stripe_overage_lookup_key, self.interval)


def _by_interval(key: str, interval: str) -> str:
    return f"{key}_yearly" if key and interval == YEAR else key


def sales() -> list[Sale]:
    """Everything that is sold online, plan by plan, by the month first."""
    plans = Plan.objects.exclude(stripe_lookup_key="")
    found = [Sale(plan, interval) for plan in plans for interval in (MONTH, YEAR)]
    return [sale for sale in found if sale.lookup_key]


def find_sale(plan_slug: str, interval: str) -> Sale | None:
    """None for what is not sold."""
    plan = Plan.objects.filter(slug=plan_slug, is_public=True).first()
    sale = Sale(plan, interval) if plan and interval in (MONTH, YEAR) else None
    return sale if sale and sale.lookup_key else None


def sale_of(lookup_keys: Iterator[str] | tuple[str, ...]) -> Sale | None:
    """The plan among the prices of a subscription."""
    keys = set(lookup_keys)
    return next((sale for sale in sales() if sale.lookup_key in keys), None)


def items_for(sale: Sale, *, seats: int, has_overage: bool) -> Items:
    return Items(
        base_key=sale.lookup_key,
        plan_keys=frozenset(each.lookup_key for each in sales()),
        seat_key=sale.seat_key,
        seats=seats if sale.seat_key else 0,
        overage_key=sale.overage_key if has_overage else "",
    )


def offers() -> list[Offer]:
    """Every price that must be there at Stripe."""
    made = []
    for sale in sales():
        plan, interval = sale.plan, sale.interval
        made.append(Offer(sale.lookup_key, plan.name, sale.amount_cents, interval))
        if sale.seat_key and sale.seat_cents:
            made.append(Offer(sale.seat_key, f"{plan.name}: person", sale.seat_cents, interval))
        if sale.overage_key and plan.overage_price_cents:
            name = f"{plan.name}: product beyond the month's"
            made.append(Offer(sale.overage_key, name, plan.overage_price_cents, interval, is_metered=True))
    return made
