from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from billing import gateway
from billing.models import BillingAccount
from billing.reconciling import catch_up, sync_all
from contentopt.errors import DomainError
from contentopt.tenancy import across_workspaces


class Command(BaseCommand):
    help = "Read every customer from Stripe anew, and take in the events it could not deliver."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--workspace", metavar="SLUG", help="only this one")

    @across_workspaces()
    def handle(self, *_args: Any, **options: Any) -> None:
        if not gateway.is_on():
            raise CommandError("STRIPE_API_KEY is not set.")
        accounts = BillingAccount.objects.across_workspaces().exclude(customer_id=None).order_by("synced_at")
        if options["workspace"]:
            accounts = accounts.filter(workspace__slug=options["workspace"])
        try:
            events = 0 if options["workspace"] else catch_up()
        except DomainError as error:
            raise CommandError(error.message) from error
        wanted = list(accounts)
        read = sync_all(wanted)
        self.stdout.write(f"{read} of {len(wanted)} customers read, {events} events taken in")
        if read < len(wanted):
            raise CommandError("Not all could be read; say it again in a moment.")
