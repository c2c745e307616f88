"""Products -> the received file, byte for byte, except the cells we wrote."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet

from generation.catalogues.dialect import Dialect
from generation.catalogues.mapping import WRITTEN_ROLES, Mapping, Role
from generation.catalogues.writing import render_description, rewrite
from generation.importing import file_chunks
from generation.models import Catalogue, Product, Text

# The header of the column that is added to a file without one for descriptions.
NEW_COLUMN = "description"
PAGE = 500


@dataclass(frozen=True, slots=True)
class CellChange:
    product: Product
    field: str
    column: int
    before: str
    after: str


def target_columns(catalogue: Catalogue) -> dict[Role, int]:
    """Field -> column index, for the fields this file has a column for; a description gets a new last one if not."""
    mapping = Mapping.from_json(catalogue.mapping)
    columns = {field: column for field in WRITTEN_ROLES if (column := mapping.column(field)) is not None}
    return {"description": len(catalogue.header), **columns}


def written_products(catalogue: Catalogue, *, only_empty: bool = False) -> QuerySet[Product]:
    """Those whose cells get our text: where the workspace wants that, only whose text is approved."""
    products = _written(catalogue, only_empty=only_empty)
    if catalogue.workspace.exports_only_approved:
        products = products.filter(text__state=Text.State.APPROVED)
    return products.select_related("text").order_by("row_number")


def _written(catalogue: Catalogue, *, only_empty: bool) -> QuerySet[Product]:
    products = Product.objects.in_workspace(catalogue.workspace_id).filter(catalogue=catalogue).written()
    return products.filter(original_hash="") if only_empty else products


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Texts that stay out of a download because nobody approved them."""

    drafts: int
    in_review: int

    @property
    def total(self) -> int:
        return self.drafts + self.in_review

    def __str__(self) -> str:
        texts = "1 text is" if self.total == 1 else f"{self.total:,} texts are"
        drafts = "1 draft" if self.drafts == 1 else f"{self.drafts:,} drafts"
        return (
            f"{texts} left out, because only approved ones are exported: {drafts}, {self.in_review:,} in review. "
            "Their cells stay as they came."
        )


def left_out(catalogue: Catalogue, *, only_empty: bool = False) -> LeftOut:
    if not catalogue.workspace.exports_only_approved:
        return LeftOut(0, 0)
    counts = _written(catalogue, only_empty=only_empty).aggregate(
        drafts=Count("pk", Q(text__state=Text.State.DRAFT)),
        in_review=Count("pk", Q(text__state=Text.State.IN_REVIEW)),
    )
    return LeftOut(**counts)


def product_changes(catalogue: Catalogue, product: Product, columns: dict[Role, int]) -> list[CellChange]:
    """The cells of one product that would differ from the received file."""
    text = product.text
    if text is None:
        return []
    html = Mapping.from_json(catalogue.mapping).html
    changes = []
    for field, column in columns.items():
        value = getattr(text, field)
        before = product.originals.get(field, "")
        if not value:
            continue
        after = render_description(value, catalogue.format, field, column in html)  # type: ignore[arg-type]
        if after != before:
            changes.append(CellChange(product, field, column, before, after))
    return changes


def export_file(catalogue: Catalogue, *, only_empty: bool = False) -> Iterator[bytes]:
    """The file in pieces. Both the file and the products come in row order, so neither is held in memory."""
    columns = target_columns(catalogue)
    products = in_row_order(written_products(catalogue, only_empty=only_empty))
    pending = next(products, None)

    def cells_for(row_number: int) -> dict[int, str] | None:
        nonlocal pending
        if row_number == 0 and pending is not None and columns["description"] == len(catalogue.header):
            return {columns["description"]: NEW_COLUMN}
        while pending is not None and pending.row_number < row_number:
            pending = next(products, None)
        if pending is None or pending.row_number != row_number:
            return None
        return {change.column: change.after for change in product_changes(catalogue, pending, columns)}

    return rewrite(file_chunks(catalogue), Dialect.from_json(catalogue.dialect), cells_for)


def in_row_order(products: QuerySet[Product]) -> Iterator[Product]:
    """Page by page, not through a cursor: a reader who leaves half way must not leave one open on the connection."""
    last = -1
    while page := list(products.filter(row_number__gt=last)[:PAGE]):
        yield from page
        last = page[-1].row_number


def export_name(catalogue: Catalogue) -> str:
    stem, dot, ending = catalogue.filename.rpartition(".")
    return f"{stem}-described.{ending}" if dot else f"{catalogue.filename}-described"
