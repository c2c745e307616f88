"""What workspaces need not keep any longer is dropped, as each of them says (accounts.models.Retention).

In batches, across workspaces, each by its own number of days. What is still being worked on is left alone.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from accounts.models import PLATFORM_WORKSPACE_ID, Retention, Workspace
from contentopt.jobs import UNFINISHED
from contentopt.tenancy import entering
from generation.caching.purging import remove_texts
from generation.models import BatchPart, CachedText, Catalogue, CatalogueChunk, LlmCall, Product, Stream, Text

SWEEP = "generation.tasks.drop_what_is_kept_long_enough"
BATCH = 500

Rows = QuerySet[Any]


def drop_what_is_kept_long_enough() -> dict[str, int]:
    """Everybody's. How many rows of each kind; what is done twice finds nothing."""
    chosen = {retention.workspace_id: retention for retention in Retention.objects.across_workspaces()}
    dropped = dict.fromkeys(("versions", "files", "calls", "streams", "visits"), 0)
    for workspace_id in Workspace.objects.values_list("pk", flat=True).iterator():
        retention = chosen.get(workspace_id) or Retention(workspace_id=workspace_id)
        with entering(workspace_id):
            for kind, count in drop_of(retention).items():
                dropped[kind] += count
    with entering(PLATFORM_WORKSPACE_ID):
        dropped["visits"] = drop_visits()
    return dropped


def drop_of(retention: Retention) -> dict[str, int]:
    workspace_id = retention.workspace_id
    return {
        "versions": drop_old_versions(workspace_id, retention.old_version_days),
        "files": drop_import_files(workspace_id, retention.import_file_days),
        "calls": empty_calls(workspace_id, retention.model_call_days),
        "streams": drop_streams(workspace_id, retention.stream_days),
    }


def drop_old_versions(workspace_id: UUID, days: int | None) -> int:
    """Versions that are not the product's text: earlier ones, and proposals that nobody kept. Text without a product
    was asked for over the API, and stays."""
    if days is None:
        return 0
    is_present = Exists(Product.objects.in_workspace(workspace_id).filter(text=OuterRef("pk")))
    old = Text.objects.in_workspace(workspace_id).filter(
        ~is_present, product__isnull=False, updated_at__lt=Now() - timedelta(days=days)
    )
    return _in_batches(old, lambda rows: rows.delete()[0])


def drop_import_files(workspace_id: UUID, days: int | None) -> int:
    """The bytes; products and texts stay, and so does the page of the import. Filling in its cells ends with them."""
    if days is None:
        return 0
    old = Catalogue.objects.in_workspace(workspace_id).filter(
        is_sample=False, created_at__lt=Now() - timedelta(days=days)
    )
    ended = old.exclude(state__in=UNFINISHED)
    return _in_batches(
        CatalogueChunk.objects.in_workspace(workspace_id).filter(catalogue__in=ended), lambda rows: rows.delete()[0]
    )


def empty_calls(workspace_id: UUID, days: int) -> int:
    """What was sent to models and came back. The calls themselves are on the books."""
    before = Now() - timedelta(days=days)
    parts = BatchPart.objects.in_workspace(workspace_id).exclude(state__in=BatchPart.LIVE)
    held = parts.filter(~Q(answer="") | ~Q(params={}) | ~Q(complaints=[]), call__created_at__lt=before)
    calls = LlmCall.objects.in_workspace(workspace_id).filter(~Q(complaints=[]), created_at__lt=before)
    emptied = _in_batches(held, lambda rows: rows.update(answer="", params={}, complaints=[]))
    return emptied + _in_batches(calls, lambda rows: rows.update(complaints=[]))


def drop_streams(workspace_id: UUID, days: int) -> int:
    """Their texts stay."""
    old = Stream.objects.in_workspace(workspace_id).filter(finished_at__lt=Now() - timedelta(days=days))
    return _in_batches(old.exclude(state__in=UNFINISHED), lambda rows: rows.delete()[0])


def drop_visits() -> int:
    """What visitors tried without an account: their words and the texts that came of them, also where they are known.
    The public pool is the platform's own."""
    before = Now() - timedelta(days=settings.VISIT_KEEP_DAYS)
    texts = Text.objects.in_workspace(PLATFORM_WORKSPACE_ID).filter(product=None, created_at__lt=before)
    known = CachedText.objects.in_workspace(PLATFORM_WORKSPACE_ID).filter(is_public=False, created_at__lt=before)
    return _in_batches(texts, lambda rows: rows.delete()[0]) + remove_texts(known).texts


def _in_batches(rows: Rows, work: Callable[[Rows], int]) -> int:
    done = 0
    manager: Any = rows.model._default_manager
    while ids := list(rows.order_by().values_list("pk", flat=True)[:BATCH]):
        with transaction.atomic():
            done += work(manager.across_workspaces().filter(pk__in=ids))
    return done
