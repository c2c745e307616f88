from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from billing import gateway
from billing.catalog import offers
from contentopt.errors import DomainError


class Command(BaseCommand):
    help = "Make the prices, the meter and the portal's settings at Stripe that the plans need; safe to repeat."

    def handle(self, *_args: Any, **_options: Any) -> None:
        if not gateway.is_on():
            raise CommandError("STRIPE_API_KEY is not set.")
        try:
            made = gateway.set_up(offers())
        except DomainError as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"made: {', '.join(made)}" if made else "everything is there")
