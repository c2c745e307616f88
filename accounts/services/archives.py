"""Archives of everything: asked for, found, handed out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.core.signing import BadSignature, TimestampSigner
from django.db import transaction
from django.db.models.functions import Now
from django.urls import reverse

from accounts import archiving
from accounts.archiving import WRITE_ARCHIVE
from accounts.audit import record
from accounts.models import Action, Archive, User, Workspace
from contentopt import jobs
from contentopt.errors import Conflict, RateLimited
from contentopt.jobs import UNFINISHED, JobState

ZIP = "application/zip"
MOST_A_DAY = 3  # each is a copy of everything

_signer = TimestampSigner(salt="accounts.archive")


def request_archive(*, workspace: Workspace, requested_by: User | None = None) -> Archive:
    """One at a time: while one is being made, it is the answer. Raises RateLimited after three in a day."""
    with transaction.atomic():
        Workspace.objects.select_for_update(of=("self",)).get(pk=workspace.pk)  # two at once would both count two
        rows = Archive.objects.in_workspace(workspace)
        present = rows.filter(state__in=UNFINISHED).first()
        if present:
            return present
        if rows.filter(created_at__gt=Now() - timedelta(days=1), state=JobState.DONE).count() >= MOST_A_DAY:
            raise RateLimited(
                f"{MOST_A_DAY} archives were made in the last 24 hours, and they can still be downloaded. "
                "Ask for another one later.",
                retry_after=3600,
            )
        archive = Archive.objects.create(workspace=workspace, requested_by=requested_by)
        record(Action.ARCHIVE_REQUESTED, workspace=workspace, target=archive)
        jobs.publish_on_commit(WRITE_ARCHIVE, str(archive.pk))
    archive.refresh_from_db()
    return archive


def download(archive: Archive) -> Iterator[bytes]:
    """The pieces of the ZIP; who took it is written down first. The caller has made sure that they may."""
    if not archive.is_ready:
        raise Conflict("This archive is not ready. Its page says how far it is.")
    record(Action.ARCHIVE_DOWNLOADED, workspace=archive.workspace_id, target=archive, bytes=archive.size_bytes)
    return archiving.pieces_of(archive)


def file_name(archive: Archive) -> str:
    return f"{archive.workspace.slug}-{archive.created_at:%Y-%m-%d-%H%M}.zip"


# --- Links ------------------------------------------------------------------------------------------------------------


def link_of(archive: Archive, user: User) -> str:
    """For this person alone and for an hour. It opens nothing by itself: they must be signed in as an owner or admin
    of the workspace at that moment."""
    token = _signer.sign(f"{archive.pk}.{user.pk}")
    return reverse("archive_download", args=(archive.workspace.slug, archive.pk, token))


def is_link_for(token: str, *, archive_id: UUID, user: User) -> bool:
    try:
        return bool(_signer.unsign(token, max_age=settings.ARCHIVE_LINK_SECONDS) == f"{archive_id}.{user.pk}")
    except BadSignature:
        return False
