"""Everything of a workspace in one ZIP: each table as JSON lines and as CSV, and files as they were received.

Generic over all models with a workspace, so a table that is added tomorrow is in it, unless it stands in NOT_ARCHIVED
with a reason. Secrets and their hashes never are. Written as a stream into rows of a megabyte; a worker that dies
leaves pieces that the next one throws away.

Rows are read a page at a time, not in one transaction: what is changed meanwhile may be in it as it was or as it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import IO, Any, cast
from uuid import UUID
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import structlog
from django.apps import apps
from django.db import models, transaction
from django.db.models.functions import Now
from django.template.loader import render_to_string
from django.utils import timezone

from accounts.models import Archive, ArchivePart, Membership, Notice, TenantQuerySet, Workspace
from accounts.spreadsheets import csv_lines
from contentopt import jobs
from contentopt.jobs import JobState
from contentopt.tenancy import entering

log = structlog.get_logger()

WRITE_ARCHIVE = "accounts.tasks.write_archive"
DIED = "Making this archive stopped the worker several times. Ask for it again, or write to support."
KEEP = timedelta(days=7)
PART_BYTES = 1024 * 1024
PAGE = 2_000
BYTES_PER_ROW = 500  # that a file's bytes count for in the progress

# Models that are not in an archive, with the reason.
NOT_ARCHIVED = {
    "accounts.Archive": "archives themselves",
    "accounts.ArchivePart": "archives themselves",
    "accounts.Deletion": "a job of ours; the log says who asked for it",
    "generation.CatalogueChunk": "pieces of the files, which are in it whole",
    "generation.Flight": "which text is being written at this moment",
}
# What such a column holds lets somebody in, or says whether a guess at it is right.
_SECRET_WORDS = frozenset(
    ["secret", "secrets", "token", "password", "digest", "hash", "sha256", "signature", "credential", "credentials"]
)


@dataclass(frozen=True, slots=True)
class File:
    name: str
    size_bytes: int
    pieces: Iterable[bytes]


# Where a workspace's files come from, filled by the apps that keep some.
FILES: list[Callable[[UUID], Iterator[File]]] = []


def tenant_models() -> list[type[models.Model]]:
    """Every model whose rows belong to a workspace, of whichever app."""
    return [
        model
        for model in apps.get_models()
        if any(field.name == "workspace" and field.related_model is Workspace for field in model._meta.concrete_fields)
    ]


def archived_models() -> list[type[models.Model]]:
    return [model for model in tenant_models() if model._meta.label not in NOT_ARCHIVED]


def is_secret(field: models.Field[Any, Any]) -> bool:
    """Also bytes: vectors and the like, which nobody could read."""
    return isinstance(field, models.BinaryField) or bool(_SECRET_WORDS & set(field.name.split("_")))


def archived_fields(model: type[models.Model]) -> list[models.Field[Any, Any]]:
    return [field for field in model._meta.concrete_fields if not is_secret(field)]


# --- The job ----------------------------------------------------------------------------------------------------------


def write_archive(archive_id: UUID | str) -> JobState | None:
    """Claim one and write it. None when there was nothing to claim, or the lease was lost on the way."""
    archive = jobs.claim(Archive, archive_id)
    if archive is None:
        return None
    try:
        with entering(archive.workspace_id), jobs.heartbeat(archive):
            _write_claimed(archive)
    except jobs.LostLease:
        log.info("lease_lost", archive=str(archive.pk))
        return None
    return JobState.DONE


def _write_claimed(archive: Archive) -> None:
    ArchivePart.objects.in_workspace(archive.workspace_id).filter(archive=archive).delete()
    writer = _Parts(archive)
    with ZipFile(cast("IO[bytes]", writer), "w", ZIP_DEFLATED) as archived:
        _Writing(archive.workspace, writer, archived).write()
    writer.end()
    with transaction.atomic():
        jobs.finish(
            archive,
            JobState.DONE,
            percent=100,
            size_bytes=writer.size,
            row_count=writer.rows,
            file_count=writer.files,
            expires_at=Now() + KEEP,
        )
        _tell(archive)


def _tell(archive: Archive) -> None:
    details = {
        "headline": "everything is ready to download",
        "words": "The archive that was asked for is ready: every table and every file of the workspace. It is kept for "
        "seven days. Whoever downloads it must be signed in as an owner or admin.",
        "page": "archives",
    }
    topic = f"archive/{archive.pk}"
    notice = Notice(workspace_id=archive.workspace_id, kind=Notice.Kind.RIGHTS, topic=topic, details=details)
    Notice.objects.bulk_create([notice], ignore_conflicts=True)


class _Parts:
    """The file that the ZIP is written to: it only grows, and what is full goes to PostgreSQL at once."""

    def __init__(self, archive: Archive) -> None:
        self.archive = archive
        self.size = self.rows = self.files = 0
        self.done, self.total = 0, 1
        self._position = 0
        self._waiting = bytearray()

    def write(self, data: bytes) -> int:
        self._waiting += data
        self.size += len(data)
        while len(self._waiting) >= PART_BYTES:
            self._keep(bytes(self._waiting[:PART_BYTES]))
            del self._waiting[:PART_BYTES]
        return len(data)

    def flush(self) -> None:
        """What zipfile asks for; a part goes when it is full."""

    def end(self) -> None:
        """Keep what is left."""
        if self._waiting:
            self._keep(bytes(self._waiting))
            self._waiting.clear()

    def advance(self, units: int) -> None:
        self.done += units

    @property
    def percent(self) -> int:
        return min(100 * self.done // self.total, 99)

    @transaction.atomic
    def _keep(self, content: bytes) -> None:
        self.tell_progress()
        ArchivePart.objects.create(
            workspace_id=self.archive.workspace_id, archive=self.archive, position=self._position, content=content
        )
        self._position += 1

    def tell_progress(self) -> None:
        """Raises LostLease: whoever lost it writes no part."""
        if not jobs.with_lease(self.archive).update(percent=self.percent):
            raise jobs.LostLease(str(self.archive.pk))


class _Writing:
    def __init__(self, workspace: Workspace, parts: _Parts, archived: ZipFile) -> None:
        self.workspace, self.parts, self.archived = workspace, parts, archived
        self.now = timezone.now()

    def write(self) -> None:
        tables = archived_models()
        counts = {model: _rows(model, self.workspace).count() for model in tables}
        files = [file for source in FILES for file in source(self.workspace.pk)]
        weight = sum(file.size_bytes for file in files) // BYTES_PER_ROW
        self.parts.total = 2 * sum(counts.values()) + weight + 1
        self.text("README.txt", render_to_string("archives/readme.txt", {"workspace": self.workspace, "at": self.now}))
        self.text("workspace.json", _json(_about(self.workspace), indent=2))
        for model in tables:
            self.table(model)
        for file in files:
            self.file(file)

    def text(self, name: str, words: str) -> None:
        self.pieces(name, [words.encode()])

    def table(self, model: type[models.Model]) -> None:
        fields = archived_fields(model)
        names = [field.attname for field in fields]
        name = f"{model._meta.app_label}_{model._meta.model_name}"
        self.pieces(f"tables/{name}.jsonl", self.json_lines(model, names))
        self.pieces(f"tables/{name}.csv", self.csv(model, names))

    def json_lines(self, model: type[models.Model], names: Sequence[str]) -> Iterator[bytes]:
        for row in self.rows(model, names):
            self.parts.rows += 1
            yield _json(dict(zip(names, row, strict=True))).encode() + b"\n"

    def csv(self, model: type[models.Model], names: Sequence[str]) -> Iterator[bytes]:
        yield from (line.encode() for line in csv_lines([names]))
        for line in csv_lines(map(_cell, row) for row in self.rows(model, names)):
            yield line.encode()

    def rows(self, model: type[models.Model], names: Sequence[str]) -> Iterator[tuple[Any, ...]]:
        """In the order of their keys, a page in memory at a time."""
        rows = _rows(model, self.workspace).order_by("pk")
        page = list(rows.values_list("pk", *names)[:PAGE])
        while page:
            for row in page:
                yield row[1:]
            self.parts.advance(len(page))
            self.parts.tell_progress()
            page = list(rows.filter(pk__gt=page[-1][0]).values_list("pk", *names)[:PAGE])

    def file(self, file: File) -> None:
        self.pieces(f"files/{_safe(file.name)}", file.pieces)
        self.parts.files += 1
        self.parts.advance(file.size_bytes // BYTES_PER_ROW)

    def pieces(self, name: str, pieces: Iterable[bytes]) -> None:
        about = ZipInfo(name, self.now.timetuple()[:6])
        about.compress_type = ZIP_DEFLATED
        with self.archived.open(about, "w", force_zip64=True) as entry:
            for piece in pieces:
                entry.write(piece)


def _rows(model: type[models.Model], workspace: Workspace) -> TenantQuerySet[Any]:
    rows: Any = model._default_manager
    found: TenantQuerySet[Any] = rows.in_workspace(workspace)
    return found


def _about(workspace: Workspace) -> dict[str, Any]:
    """The workspace's own row, and who its people are: elsewhere they are ids."""
    fields = [field for field in Workspace._meta.concrete_fields if not is_secret(field)]
    members = Membership.objects.in_workspace(workspace).select_related("user").order_by("created_at")
    people = [{"user_id": m.user_id, "email": m.user.email, "role": m.role} for m in members]
    return {**{field.attname: field.value_from_object(workspace) for field in fields}, "people": people}


def _cell(value: object) -> object:
    """As a spreadsheet takes it: structured values as JSON."""
    if isinstance(value, dict | list):
        return _json(value)
    return value if value is None or isinstance(value, int | float) else _words(value)


def _json(value: object, *, indent: int | None = None) -> str:
    """Exact: orjson refuses integers of more than 64 bits, and shops send such."""
    return json.dumps(value, default=_words, ensure_ascii=False, indent=indent)


def _words(value: object) -> str:
    return value.isoformat() if isinstance(value, date | time) else str(value)


def _safe(name: str) -> str:
    """A name that stays in its folder, whatever somebody called their file."""
    return re.sub(r"[^\w. ()\[\]+,=@-]", "_", name).strip(". ")[-150:] or "file"


# --- Sending and dropping ---------------------------------------------------------------------------------------------


def pieces_of(archive: Archive) -> Iterator[bytes]:
    """The ZIP, one part in memory at a time."""
    parts = ArchivePart.objects.in_workspace(archive.workspace_id).filter(archive=archive)
    for position in list(parts.order_by("position").values_list("position", flat=True)):
        yield bytes(parts.values_list("content", flat=True).get(position=position))


def sweep_archives() -> None:
    """Tell workers of what was lost on the way; end what keeps killing them."""
    jobs.fail_exhausted(Archive, DIED)
    jobs.publish_due(Archive, WRITE_ARCHIVE)


def drop_old() -> int:
    """Archives that are over, and failed ones as old. How many."""
    over = models.Q(expires_at__lt=Now()) | models.Q(state=JobState.FAILED, finished_at__lt=Now() - KEEP)
    dropped = 0
    for archive in Archive.objects.across_workspaces().filter(over).exclude(state__in=jobs.UNFINISHED):
        dropped += Archive.objects.in_workspace(archive.workspace_id).filter(pk=archive.pk).delete()[0] > 0
    return dropped
