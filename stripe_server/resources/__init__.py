"""What the API offers, one module a noun. Importing this registers every route."""

from __future__ import annotations

from stripe_server.resources import (
    catalog,
    checkout,
    customers,
    endpoints,
    events,
    invoices,
    meters,
    payments,
    portal,
    schedules,
    subscriptions,
)

__all__ = [
    "catalog",
    "checkout",
    "customers",
    "endpoints",
    "events",
    "invoices",
    "meters",
    "payments",
    "portal",
    "schedules",
    "subscriptions",
]
