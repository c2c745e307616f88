"""Buying: one open checkout a workspace, one live subscription a workspace."""

from __future__ import annotations

from datetime import timedelta

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.emails import public_url
from accounts.models import Membership, Role, Workspace
from billing import gateway
from billing.catalog import Sale
from billing.models import BillingAccount, CheckoutIntent, Subscription
from billing.sync import Busy, sync_account, sync_patiently
from contentopt.errors import Conflict, DomainError
from contentopt.jobs import LostLease

log = structlog.get_logger()

State = CheckoutIntent.State
OLD = timedelta(hours=23)


def start_checkout(*, workspace: Workspace, sale: Sale) -> str:
    """The address of the page to pay on. The same one for everybody who asks while it is open."""
    account = billing_account(workspace)
    with gateway.within(gateway.WEB_SECONDS):
        _become_customer(account, workspace)
        _refuse_second(account)
        intent = _open_intent(workspace, sale)
        return _session_of(intent, account)


def billing_account(workspace: Workspace) -> BillingAccount:
    account, _ = BillingAccount.objects.in_workspace(workspace).get_or_create(workspace=workspace)
    return account


def _become_customer(account: BillingAccount, workspace: Workspace) -> None:
    """Once: what is sent is the same whoever asks, so that the same call gives the same customer."""
    if account.customer_id:
        return
    owners = Membership.objects.in_workspace(workspace).filter(role=Role.OWNER).order_by("created_at", "pk")
    email = owners.values_list("user__email", flat=True)[0]
    customer_id = gateway.create_customer(workspace_id=str(workspace.pk), email=email)
    BillingAccount.objects.in_workspace(workspace).filter(customer_id=None).update(customer_id=customer_id)
    account.refresh_from_db(fields=["customer_id"])


def _refuse_second(account: BillingAccount) -> None:
    """By what Stripe says now, not by what we last heard."""
    try:
        sync_account(account.pk)
    except (Busy, LostLease):
        log.info("checkout_beside_sync", account=str(account.pk))
    if Subscription.objects.in_workspace(account.workspace_id).filter(is_live=True).exists():
        raise Conflict(
            "This workspace has a subscription already. Change it on the plan page.", code="already_subscribed"
        )


def _open_intent(workspace: Workspace, sale: Sale) -> CheckoutIntent:
    """The open one, if it is for the same plan; another plan's is given up first."""
    rows = CheckoutIntent.objects.in_workspace(workspace)
    present = rows.filter(state=State.OPEN).first()
    if present and ((present.plan_id, present.interval) != (sale.plan.pk, sale.interval) or is_old(present)):
        give_up(present)
        present = None
    if present is None:
        try:
            with transaction.atomic():
                return CheckoutIntent.objects.create(
                    workspace=workspace,
                    plan=sale.plan,
                    interval=sale.interval,
                    has_trial=not Subscription.objects.in_workspace(workspace).exists(),
                )
        except IntegrityError:  # another request was quicker, and its checkout is ours too
            present = rows.get(state=State.OPEN)
    return present


def is_old(intent: CheckoutIntent) -> bool:
    """Stripe forgets a session, and the key it was made under, after a day."""
    return timezone.now() - intent.created_at > OLD


def give_up(intent: CheckoutIntent) -> None:
    """No one can pay it any more. Raises Conflict when somebody just has."""
    if intent.session_id:
        session = gateway.read_checkout(intent.session_id)
        if session.status == "complete":
            raise Conflict(
                "A checkout of this workspace has just been paid. Reload the page.", code="already_subscribed"
            )
        if session.status == "open":
            gateway.expire_checkout(intent.session_id)
    _end(intent, State.GONE)


def _end(intent: CheckoutIntent, state: str) -> None:
    rows = CheckoutIntent.objects.in_workspace(intent.workspace_id)
    rows.filter(pk=intent.pk, state=State.OPEN).update(state=state)


def _session_of(intent: CheckoutIntent, account: BillingAccount) -> str:
    """Asked for under the intent's id: twenty who ask at once, or one who asks again after a time-out, get one."""
    session = gateway.open_checkout(
        intent_id=str(intent.pk),
        workspace_id=str(intent.workspace_id),
        customer_id=account.customer_id or "",
        lookup_key=Sale(intent.plan, intent.interval).lookup_key,
        trial_days=settings.TRIAL_DAYS if intent.has_trial else 0,
        success_url=return_url(intent.workspace) + "?session={CHECKOUT_SESSION_ID}",
        cancel_url=public_url("plan", intent.workspace.slug),
    )
    current = gateway.read_checkout(session.id) if intent.session_id else session
    if current.status != "open":
        _end(intent, State.DONE if current.status == "complete" else State.GONE)
        raise Conflict("That checkout is over. Reload the page to see where you are.", code="checkout_over")
    CheckoutIntent.objects.in_workspace(intent.workspace_id).filter(pk=intent.pk).update(
        session_id=session.id, url=session.url
    )
    return current.url


def return_url(workspace: Workspace) -> str:
    return public_url("checkout_return", workspace.slug)


def finish_checkout(*, workspace: Workspace, session_id: str) -> bool:
    """Back from the page to pay on: read what became of it from Stripe, whatever the address says. True when the
    workspace's subscription is known."""
    account = billing_account(workspace)
    with gateway.within(gateway.WEB_SECONDS):
        session = gateway.read_checkout(session_id)
        if session.workspace_id != str(workspace.pk) or session.customer_id != account.customer_id:
            raise DomainError("This checkout is not of this workspace.", code="not_found", status=404)
        _look(account)
    return Subscription.objects.in_workspace(workspace).filter(is_live=True).exists()


def _look(account: BillingAccount) -> None:
    try:
        sync_patiently(account.pk)
    except (Busy, LostLease):
        log.info("return_beside_sync", account=str(account.pk))


def open_portal(*, workspace: Workspace) -> str:
    account = billing_account(workspace)
    if account.customer_id is None:
        raise DomainError("There is nothing to show yet: nothing was ever bought here.", code="no_customer", status=409)
    with gateway.within(gateway.WEB_SECONDS):
        return gateway.open_portal(
            customer_id=account.customer_id, return_url=public_url("portal_return", workspace.slug)
        )


def finish_portal(*, workspace: Workspace) -> None:
    """Back from Stripe's own page: what was changed there is read at once, without waiting for its event."""
    with gateway.within(gateway.WEB_SECONDS):
        _look(billing_account(workspace))


def list_invoices(*, workspace: Workspace) -> list[gateway.Invoice]:
    account = billing_account(workspace)
    if account.customer_id is None:
        return []
    with gateway.within(gateway.WEB_SECONDS):
        return gateway.list_invoices(account.customer_id)
