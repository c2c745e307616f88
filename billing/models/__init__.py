from __future__ import annotations

from billing.models.accounts import BillingAccount, CheckoutIntent, Subscription
from billing.models.events import BillingEvent
from billing.models.usage import UsageReport

__all__ = ["BillingAccount", "BillingEvent", "CheckoutIntent", "Subscription", "UsageReport"]
