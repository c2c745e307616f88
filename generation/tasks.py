"""What workers and the clock do. Each claims its row and calls one operation."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from celery import shared_task
from celery.signals import worker_init
from django.conf import settings
from django.db.models import F
from django.db.models.functions import Now

from contentopt.jobs import every
from generation import importing
from generation.engine import items
from generation.engine.warming import warm_up
from generation.models import CachedText, LlmCall


@worker_init.connect
def warm_up_before_fork(**_signal: Any) -> None:
    """In the parent, so that its children share what was loaded."""
    warm_up()


@shared_task(name=items.WRITE_ITEM)
def write_item(item_id: str) -> None:
    items.write_item(item_id)


@shared_task(name=importing.IMPORT_CATALOGUE)
def import_catalogue(catalogue_id: str) -> None:
    importing.import_catalogue(catalogue_id)


@every(settings.JOB_SWEEP_SECONDS)
def sweep_runs() -> None:
    items.sweep_runs()


@every(settings.JOB_SWEEP_SECONDS)
def sweep_imports() -> None:
    importing.sweep_imports()


@every(60)
def close_unanswered_calls() -> None:
    """A call whose worker died counts at its ceiling: the provider may have served it."""
    abandoned = Now() - timedelta(seconds=4 * settings.MODEL_DEADLINE_SECONDS)
    calls = LlmCall._base_manager.filter(outcome=LlmCall.Outcome.DISPATCHED, created_at__lt=abandoned)
    calls.update(outcome=LlmCall.Outcome.UNKNOWN, cost_nanos=F("ceiling_nanos"), finished_at=Now())


@every(3600)
def drop_expired_texts() -> None:
    CachedText._base_manager.filter(expires_at__lt=Now()).delete()
