from __future__ import annotations

import hashlib
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Q
from django.db.models.functions import Now

from accounts.idempotency import key_reused
from accounts.models import User, Workspace
from contentopt import jobs
from contentopt.errors import Conflict, DomainError
from contentopt.jobs import JobState
from generation.catalogues.dialect import Dialect
from generation.catalogues.mapping import Mapping, header_signature, validate_mapping
from generation.catalogues.records import read_records
from generation.importing import CHUNK_BYTES, IMPORT_CATALOGUE, file_chunks, import_catalogue, keep_file, recognise_file
from generation.models import Catalogue, ColumnMapping, Product


def receive_file(
    *,
    workspace: Workspace,
    upload: BinaryIO,
    filename: str,
    created_by: User | None = None,
    idempotency_key: str | None = None,
) -> Catalogue:
    """Keep the file and have it imported; the catalogue's page shows how it goes."""
    earlier = Catalogue.objects.in_workspace(workspace).filter(idempotency_key=idempotency_key).first()
    if idempotency_key and earlier:
        return same_file(earlier, upload)
    catalogue = keep_file(
        workspace=workspace,
        upload=upload,
        filename=filename,
        created_by=created_by,
        idempotency_key=idempotency_key,
    )
    jobs.publish_on_commit(IMPORT_CATALOGUE, str(catalogue.pk))
    return catalogue


def same_file(earlier: Catalogue, upload: BinaryIO) -> Catalogue:
    digest = hashlib.sha256()
    for piece in iter(lambda: upload.read(CHUNK_BYTES), b""):
        digest.update(piece)
    if digest.hexdigest() != earlier.sha256:
        raise key_reused()
    return earlier


def map_columns(*, catalogue: Catalogue, mapping: Mapping, remember: bool = True) -> None:
    """Import (again) with these columns, and remember them for files with the same header."""
    problems = validate_mapping(mapping, catalogue.header)
    if problems:
        raise DomainError(" ".join(problems), code="invalid_mapping", details={"problems": problems})
    if remember:
        ColumnMapping.objects.in_workspace(catalogue.workspace_id).update_or_create(
            workspace=catalogue.workspace,
            header_signature=header_signature(catalogue.header),
            defaults={"mapping": mapping.to_json()},
        )
    restart_import(
        catalogue,
        mapping=mapping.to_json(),
        format="generic" if catalogue.format == "none" else catalogue.format,
    )


def change_dialect(*, catalogue: Catalogue, dialect: Dialect) -> None:
    """Read the file again with another encoding or delimiter; columns are recognised anew."""
    recognise_file(catalogue, dialect=dialect)
    restart_import(
        catalogue,
        dialect=catalogue.dialect,
        header=catalogue.header,
        mapping=catalogue.mapping,
        format=catalogue.format,
        format_reason=catalogue.format_reason,
    )


def restart_import(catalogue: Catalogue, **columns: object) -> None:
    if catalogue.runs.exists():
        raise Conflict(
            "Texts were already written for this import, so its columns stay as they are. Upload the file again."
        )
    restarted = (
        Catalogue.objects.in_workspace(catalogue.workspace_id)
        .filter(pk=catalogue.pk)
        .exclude(state=JobState.RUNNING)
        .update(
            state=JobState.QUEUED,
            status=Catalogue.Status.IMPORTING,
            attempt=0,
            next_run_at=Now(),
            finished_at=None,
            **columns,
        )
    )
    if not restarted:
        raise Conflict("This file is being imported right now. Change its columns when that is done.")
    jobs.publish_on_commit(IMPORT_CATALOGUE, str(catalogue.pk))


def delete_catalogue(catalogue: Catalogue) -> None:
    """Undo an import: the file, its products and their texts."""
    with transaction.atomic():
        catalogue.delete()


def add_sample_shop(workspace: Workspace) -> Catalogue:
    """The sample shop, imported at once: small enough, and a new user should see it on the first page."""
    path = Path(settings.SAMPLE_SHOP)
    with path.open("rb") as upload:
        catalogue = keep_file(workspace=workspace, upload=upload, filename=path.name, is_sample=True)
    import_catalogue(catalogue.pk)
    catalogue.refresh_from_db()
    return catalogue


def catalogue_health(catalogue: Catalogue) -> dict[str, int]:
    """What a shop wants to know first: what is missing, what is shared, what is thin."""
    products = Product.objects.in_workspace(catalogue.workspace_id).filter(catalogue=catalogue)
    described = products.exclude(original_hash="")
    shared = described.values("original_hash").annotate(n=Count("pk")).filter(n__gt=1).order_by()
    return {
        "products": products.count(),
        "written": products.written().count(),
        "without_description": products.filter(original_hash="").count(),
        "sharing_a_description": sum(row["n"] for row in shared),
        "thin": products.filter(fact_count__lt=THIN_FACTS).count(),
    }


THIN_FACTS = 3
thin_products = Q(fact_count__lt=THIN_FACTS)


def sample_values(catalogue: Catalogue, *, rows: int = 3) -> list[list[str]]:
    """For each column, what the first rows hold: helps to say what the column is."""
    dialect = Dialect.from_json(catalogue.dialect)
    first = next(file_chunks(catalogue))
    records = [record.values for record in islice(read_records([first], dialect), rows + 1)][1:]
    return [[row[index][:80] for row in records if index < len(row)] for index in range(len(catalogue.header))]
