"""What other systems are told of this app's work, in the transaction in which it happens (see webhooks.events)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Count
from django.urls import reverse

from contentopt.jobs import JobState
from generation.models import Catalogue, Run, RunItem, Text
from webhooks.announcing import announce, public_address
from webhooks.events import IMPORT_FINISHED, RUN_FINISHED, TEXT_APPROVED, TEXT_CREATED


def announce_run(run_id: UUID) -> None:
    """It is finished or cancelled."""
    run = Run._base_manager.get(pk=run_id)
    announce(run.workspace_id, RUN_FINISHED, lambda: _run(run))


def _run(run: Run) -> dict[str, Any]:
    items = RunItem._base_manager.filter(run=run).order_by()
    counts = dict(items.values_list("state").annotate(count=Count("pk")))
    return {
        "id": str(run.pk),
        "state": run.state,
        "catalogue": str(run.catalogue_id) if run.catalogue_id else None,
        "products": run.item_count,
        "done": counts.get(JobState.DONE, 0),
        "failed": counts.get(JobState.FAILED, 0),
        "cancelled": counts.get(JobState.CANCELLED, 0),
        "url": _url("api_run", run.pk),
    }


def announce_text(text: Text) -> None:
    """A product has a new text. One that only an API request got has no product, and whoever asked has it."""
    if text.product_id is not None:
        announce(
            text.workspace_id,
            TEXT_CREATED,
            lambda: {**_text(text), "source": text.source, "language": text.brief.get("language", "")},
        )


def announce_approval(text: Text) -> None:
    announce(text.workspace_id, TEXT_APPROVED, lambda: _text(text))


def _text(text: Text) -> dict[str, Any]:
    return {
        "id": str(text.pk),
        "product": str(text.product_id),
        "version": text.version,
        "url": _url("api_text", text.pk),
    }


def announce_import(catalogue: Catalogue) -> None:
    announce(
        catalogue.workspace_id,
        IMPORT_FINISHED,
        lambda: {
            "id": str(catalogue.pk),
            "status": "failed" if catalogue.state == JobState.FAILED else catalogue.status,
            "filename": catalogue.filename,
            "products": catalogue.product_count,
            "rows": catalogue.row_count,
            "url": _url("api_catalogue", catalogue.pk),
        },
    )


def _url(name: str, pk: UUID) -> str:
    return public_address(reverse(name, args=[pk]))
