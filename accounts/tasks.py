"""What workers and the clock do for accounts. Each calls one operation."""

from __future__ import annotations

from celery import shared_task
from django.conf import settings

from accounts import budgets, emails, idempotency, metering, quotas, reconciling, retiring, summaries
from contentopt.jobs import every, publish


@shared_task(name=emails.SEND_NOTICE)
def send_notice(notice_id: str) -> None:
    emails.send_notice(notice_id)


@every(30)
def sweep_holds() -> None:
    budgets.sweep()


@every(60)
def apply_limits() -> None:
    """Heals a budget that was opened at the very moment its limit was changed."""
    budgets.apply_limits()


@every(settings.JOB_SWEEP_SECONDS)
def sweep_retirements() -> None:
    retiring.sweep()


@every(30)
def sweep_pending_products() -> None:
    quotas.sweep_pending()


@every(settings.JOB_SWEEP_SECONDS)
def sweep_notices() -> None:
    """Also what finds notices that were put on the list by a database function."""
    emails.sweep_notices()


@every(600)
def forget_old_replies() -> None:
    idempotency.forget_old()


@every(600)
def tell_last_week() -> None:
    summaries.tell_last_week()


@shared_task(name=metering.DRAIN)
def drain_free_answers() -> None:
    metering.drain_free_answers()


@every(5)
def ask_for_drain() -> None:
    publish(metering.DRAIN)


@shared_task(name=metering.ROLL_UP)
def roll_up() -> None:
    metering.roll_up()


@every(15)
def ask_for_roll_up() -> None:
    publish(metering.ROLL_UP)


@shared_task(name=reconciling.TELL_STAFF, autoretry_for=(OSError,), retry_backoff=True, retry_backoff_max=60)
def tell_staff(reconciliation_id: str) -> None:
    reconciling.tell_staff(int(reconciliation_id))
