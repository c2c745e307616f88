"""A received file -> products. Streams both ways, so memory does not grow with the file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from typing import BinaryIO
from uuid import UUID

import zstandard
from django.conf import settings
from django.db import reset_queries, transaction

from accounts.archiving import File
from accounts.models import User, Workspace
from contentopt import jobs
from contentopt.errors import DomainError
from contentopt.jobs import JobState
from contentopt.tenancy import entering
from generation.announcing import announce_import
from generation.catalogues.dialect import CatalogueError, Dialect, detect_dialect
from generation.catalogues.formats import recognise
from generation.catalogues.mapping import Mapping, header_labels, header_signature
from generation.catalogues.products import CatalogueProduct, SkippedRow, group_products
from generation.catalogues.records import read_records
from generation.facts import Facts, extract_facts, facts_hash
from generation.families import family_of
from generation.models import Catalogue, CatalogueChunk, ColumnMapping, Product, RowProblem, Variant
from generation.prompts import facts_block

IMPORT_CATALOGUE = "generation.tasks.import_catalogue"
CHUNK_BYTES = 1024 * 1024
BATCH = 500
SAMPLE_ROWS = 200
MAX_TITLE = 1_000  # as shown in lists; the facts and the file keep all of it
DIED = "Reading this file stopped the worker several times. Nothing was imported; write to support with the file."


# --- Keeping the bytes ------------------------------------------------------------------------------------------------


def keep_file(
    *,
    workspace: Workspace,
    upload: BinaryIO,
    filename: str,
    created_by: User | None = None,
    is_sample: bool = False,
    idempotency_key: str | None = None,
) -> Catalogue:
    """Store a file as received. Nothing is parsed yet; the import is a job of its own."""
    catalogue = Catalogue(
        workspace=workspace,
        filename=filename[:255] or "catalogue.csv",
        size_bytes=0,
        created_by=created_by,
        is_sample=is_sample,
        idempotency_key=idempotency_key,
    )
    digest = hashlib.sha256()
    with transaction.atomic():
        catalogue.save(force_insert=True)
        for position, piece in enumerate(iter(lambda: upload.read(CHUNK_BYTES), b"")):
            catalogue.size_bytes += len(piece)
            if catalogue.size_bytes > settings.CATALOGUE_MAX_BYTES:
                raise too_large()
            digest.update(piece)
            CatalogueChunk.objects.create(
                workspace=workspace,
                catalogue=catalogue,
                position=position,
                content=zstandard.compress(piece),
            )
        if not catalogue.size_bytes:
            raise DomainError("This file is empty. Export your products again and upload that.", code="empty")
        catalogue.sha256 = digest.hexdigest()
        catalogue.save(update_fields=["size_bytes", "sha256"])
    return catalogue


def too_large() -> DomainError:
    megabytes = settings.CATALOGUE_MAX_BYTES // 1024 // 1024
    message = f"This file is larger than {megabytes} MB. Split it, or export fewer products; nothing was imported."
    return DomainError(message, code="too_large", status=413)


def file_chunks(catalogue: Catalogue) -> Iterator[bytes]:
    """The received bytes, one piece in memory at a time."""
    positions = CatalogueChunk.objects.in_workspace(catalogue.workspace_id).filter(catalogue=catalogue)
    for position in positions.order_by("position").values_list("position", flat=True):
        yield zstandard.decompress(bytes(positions.get(position=position).content))


def original_files(workspace_id: UUID) -> Iterator[File]:
    """For an archive of the workspace: every received file that is still kept."""
    for catalogue in Catalogue.objects.in_workspace(workspace_id).order_by("created_at"):
        if catalogue.chunks.exists():
            yield File(f"{catalogue.pk}-{catalogue.filename}", catalogue.size_bytes, file_chunks(catalogue))


# --- Recognising ------------------------------------------------------------------------------------------------------


def recognise_file(catalogue: Catalogue, *, dialect: Dialect | None = None) -> None:
    """Find encoding, delimiter, format and columns; sets the catalogue's fields, saves nothing.

    Raises CatalogueError when the file is no table of products.
    """
    first = next(file_chunks(catalogue))
    dialect = dialect or detect_dialect(first, whole=len(first) == catalogue.size_bytes)
    catalogue.dialect = dialect.to_json()
    records = read_records([first], dialect)
    # Blank lines above the header have negative numbers.
    table = (record.values for record in records if record.number >= 0)
    header, *sample = islice(table, SAMPLE_ROWS + 1)
    catalogue.header = header_labels(header)
    found = recognise(header, sample)
    catalogue.format, catalogue.format_reason = found.format, found.reason
    catalogue.mapping = found.mapping.to_json()
    remembered = (
        ColumnMapping.objects.in_workspace(catalogue.workspace_id)
        .filter(header_signature=header_signature(header))
        .first()
    )
    if remembered:
        catalogue.mapping = remembered.mapping
        catalogue.format_reason = "Columns as you named them for an earlier file with the same header."
        if found.format == "none":
            catalogue.format = "generic"
    elif found.format == "none":
        raise CatalogueError("no_products", found.reason)
    elif not found.confident:
        catalogue.status = Catalogue.Status.NEEDS_MAPPING


# --- Importing --------------------------------------------------------------------------------------------------------


def import_catalogue(catalogue_id: UUID | str) -> None:
    """Claim a file and bring its import to an end; a lost lease means that another worker does."""
    catalogue = jobs.claim(Catalogue, catalogue_id)
    if catalogue is not None:
        with entering(catalogue.workspace_id), suppress(jobs.LostLease):
            _import_claimed(catalogue)


def _import_claimed(catalogue: Catalogue) -> None:
    with jobs.heartbeat(catalogue):
        try:
            if not catalogue.header:
                recognise_file(catalogue)
            if catalogue.status != Catalogue.Status.NEEDS_MAPPING:
                _import_rows(catalogue)
                catalogue.status = Catalogue.Status.READY
        except CatalogueError as error:
            catalogue.status = Catalogue.Status.REFUSED
            catalogue.format_reason = error.message
            _remove_rows(catalogue)
    _finish(catalogue)


def _finish(catalogue: Catalogue) -> None:
    columns = ("status", "format", "format_reason", "dialect", "header", "mapping", "row_count", "product_count")
    with transaction.atomic():
        jobs.finish(catalogue, JobState.DONE, **{column: getattr(catalogue, column) for column in columns})
        announce_import(catalogue)


def _import_rows(catalogue: Catalogue) -> None:
    """Products, variants and problems in batches. A second attempt begins by removing what a first one left."""
    _remove_rows(catalogue)
    dialect, mapping = Dialect.from_json(catalogue.dialect), Mapping.from_json(catalogue.mapping)
    records = read_records(file_chunks(catalogue), dialect)
    found = group_products(records, mapping, catalogue.format)  # type: ignore[arg-type]
    while batch := list(islice(found, BATCH)):
        _Batch(catalogue, batch).save()
        reset_queries()  # while debugging, Django keeps every statement: a large file would fill the memory
    if not catalogue.product_count:
        raise CatalogueError("no_products", "No row of this file has a product name, so there is nothing to describe.")


def _remove_rows(catalogue: Catalogue) -> None:
    for leftovers in (Product, RowProblem):
        leftovers.objects.in_workspace(catalogue.workspace_id).filter(catalogue=catalogue).delete()
    catalogue.row_count = catalogue.product_count = 0


class _Batch:
    """Some hundred products and skipped rows, saved together."""

    def __init__(self, catalogue: Catalogue, found: list[CatalogueProduct | SkippedRow]) -> None:
        self.catalogue = catalogue
        self.found = found
        self.problems = [problem for row in found for problem in row.problems]
        products = [row for row in found if isinstance(row, CatalogueProduct)]
        self.products = [row for row in products if not row.parent_key]
        self.strays = [row for row in products if row.parent_key]

    def save(self) -> None:
        with transaction.atomic():
            jobs.hold_lease(self.catalogue)
            self.adopt_strays()
            saved = Product.objects.bulk_create(self.product(row) for row in self.products)
            Variant.objects.bulk_create(
                variant for product, row in zip(saved, self.products, strict=True) for variant in variants(product, row)
            )
            RowProblem.objects.bulk_create(
                RowProblem(
                    workspace_id=self.catalogue.workspace_id,
                    catalogue=self.catalogue,
                    row_number=problem.row_number,
                    line=problem.line,
                    column=problem.column[:200],
                    code=problem.code,
                    message=problem.message,
                )
                for problem in self.problems
            )
            self.catalogue.row_count += sum(row.row_count for row in self.found)
            self.catalogue.product_count += len(self.products)
            jobs.with_lease(self.catalogue).update(
                row_count=self.catalogue.row_count, product_count=self.catalogue.product_count
            )

    def product(self, row: CatalogueProduct) -> Product:
        facts = extract_facts(row.product)
        return Product(
            workspace_id=self.catalogue.workspace_id,
            catalogue=self.catalogue,
            row_number=row.row_number,
            key=row.key,
            title=row.title[:MAX_TITLE],
            product=row.product,
            facts_hash=facts_hash(facts),
            facts_bytes=len(facts_block(facts).encode()),
            family=family_key(facts),
            fact_count=len(facts.facts),
            originals=row.originals,
            original_hash=hashlib.sha256(row.body.encode()).hexdigest() if row.has_description else "",
        )

    def adopt_strays(self) -> None:
        """Variations that stand apart from their parent join it if it came earlier; else they are products."""
        known = Product.objects.in_workspace(self.catalogue.workspace_id).filter(catalogue=self.catalogue)
        parents = {parent.key: parent for parent in known.filter(key__in=[row.parent_key for row in self.strays])}
        for row in self.strays:
            if parent := parents.get(row.parent_key):
                Variant.objects.bulk_create(variants(parent, row))
                parent.product["variants"] = [*parent.product.get("variants", []), *row.variants]
                facts = extract_facts(parent.product)
                parent.facts_hash, parent.fact_count = facts_hash(facts), len(facts.facts)
                parent.facts_bytes, parent.family = len(facts_block(facts).encode()), family_key(facts)
                parent.save(update_fields=["product", "facts_hash", "fact_count", "facts_bytes", "family"])
            else:
                self.products.append(row)


def family_key(facts: Facts) -> str:
    """For the price shown before a run, which looks at no facts. Families hardly depend on the language, and this one
    does: it decides nothing."""
    family = family_of(facts, "en")
    return family.key if family else ""


def variants(product: Product, row: CatalogueProduct) -> list[Variant]:
    return [
        Variant(workspace_id=product.workspace_id, product=product, row_number=number, options=options)
        for number, options in zip(row.variant_rows, row.variants, strict=True)
    ]


# --- The queue --------------------------------------------------------------------------------------------------------


def sweep_imports() -> None:
    """Re-send imports whose wake-up was lost, and end those that keep killing their worker."""
    _fail_exhausted()
    jobs.publish_due(Catalogue, IMPORT_CATALOGUE)


@transaction.atomic
def _fail_exhausted() -> None:
    ids = list(jobs.exhausted(Catalogue).values_list("pk", flat=True))
    if ids and jobs.fail_exhausted(Catalogue, DIED):
        for catalogue in Catalogue._base_manager.filter(pk__in=ids, state=JobState.FAILED):
            announce_import(catalogue)
