"""What workers and the clock do for billing. Each calls one operation."""

from __future__ import annotations

from celery import shared_task
from django.conf import settings

from billing import closing, inbox, receiving, reconciling, reporting, seats, sync
from contentopt.jobs import every, publish


@shared_task(name=inbox.PROCESS_EVENT)
def process_event(event_id: str) -> None:
    receiving.process_event(event_id)


@every(settings.JOB_SWEEP_SECONDS)
def sweep_events() -> None:
    receiving.sweep_events()


@every(60)
def end_grace() -> None:
    sync.end_of_grace()


@shared_task(name=reconciling.RECONCILE)
def reconcile() -> None:
    reconciling.reconcile()


@every(3600)
def ask_for_reconciliation() -> None:
    publish(reconciling.RECONCILE)


@shared_task(name=seats.FOLLOW_SEATS)
def follow_seats() -> None:
    seats.follow_seats()


@shared_task(name=closing.FOLLOW_CLOSINGS)
def follow_closings() -> None:
    closing.follow_closings()


@shared_task(name=reporting.REPORT_USAGE)
def report_usage() -> None:
    reporting.report_usage()


@every(60)
def ask_for_seats_usage_and_closings() -> None:
    publish(seats.FOLLOW_SEATS)
    publish(closing.FOLLOW_CLOSINGS)
    publish(reporting.REPORT_USAGE)
