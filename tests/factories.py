from __future__ import annotations

import io
import uuid
from datetime import datetime
from typing import Any

from django.utils import timezone

from accounts.models import UsageEntry, Workspace
from generation.engine.storing import default_wishes
from generation.importing import import_catalogue, keep_file
from generation.models import Catalogue, Product, Run
from generation.services.runs import start_run
from generation.services.texts import writable_fields

HEADER = "sku,name,material,color,description\n"
ROWS = ["A-1,Linen Apron,linen,sand,", "A-2,Oak Board,oak,natural,", "A-3,Steel Ladle,stainless steel,silver,"]


def make_file(rows: list[str] | None = None, header: str = HEADER) -> bytes:
    return (header + "\n".join(ROWS if rows is None else rows) + "\n").encode()


def numbered_rows(count: int) -> list[str]:
    return [f"N-{n},Mug {n:05d},stoneware,blue," for n in range(1, count + 1)]


def make_catalogue(workspace: Workspace, content: bytes | None = None, filename: str = "products.csv") -> Catalogue:
    """An imported file: three products unless told otherwise."""
    catalogue = keep_file(
        workspace=workspace, upload=io.BytesIO(make_file() if content is None else content), filename=filename
    )
    import_catalogue(catalogue.pk)
    catalogue.refresh_from_db()
    return catalogue


def first_product(catalogue: Catalogue) -> Product:
    return Product.objects.in_workspace(catalogue.workspace_id).filter(catalogue=catalogue).order_by("row_number")[0]


def make_run(catalogue: Catalogue, *, urgency: str = "now", cap_nanos: int | None = None, **wishes: Any) -> Run:
    products = Product.objects.in_workspace(catalogue.workspace_id).filter(catalogue=catalogue)
    chosen = default_wishes(writable_fields(catalogue.mapping), **wishes)
    return start_run(
        workspace=catalogue.workspace,
        products=products,
        wishes=chosen,
        catalogue=catalogue,
        urgency=urgency,
        cap_nanos=cap_nanos,
    )


def make_line(workspace: Workspace, occurred_at: datetime | None = None, **columns: Any) -> UsageEntry:
    """A line of the ledger: a paid text, or a free one with `source="exact"`."""
    moment = occurred_at or timezone.now()
    is_paid = columns.get("source", "model") == "model"
    usual: dict[str, Any] = {
        "basis": "exact" if is_paid else "free",
        "source": "model",
        "endpoint": "page",
        "provider": "anthropic",
        "model_id": "claude-haiku-5-5",
        "tier": "economy",
        "reservation_id": uuid.uuid4() if is_paid else None,
        "answers": 1,
        "calls": int(is_paid),
        "input_tokens": 900 if is_paid else 0,
        "output_tokens": 250 if is_paid else 0,
        "cost_nanos": 215_000 if is_paid else 0,
        "saved_nanos": 0 if is_paid else 215_000,
        "recorded_at": moment,
    }
    return UsageEntry.objects.create(workspace=workspace, occurred_at=moment, **{**usual, **columns})
