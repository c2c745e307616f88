from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from accounts.models.tenants import TenantQuerySet, User, Workspace, WorkspaceOwned
from contentopt.jobs import UNFINISHED, Job, JobState


class Archive(WorkspaceOwned, Job):
    """Everything of a workspace in one ZIP: the rows of all its tables and its files as they were received."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="archives")
    requested_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    percent = models.PositiveSmallIntegerField(default=0)
    row_count = models.PositiveBigIntegerField(default=0)
    file_count = models.PositiveIntegerField(default=0)
    size_bytes = models.PositiveBigIntegerField(default=0)
    expires_at = models.DateTimeField(null=True, help_text="Once it is there: when it is dropped.")

    objects = TenantQuerySet["Archive"].as_manager()

    class Meta:
        ordering = ("-created_at",)
        constraints = [
            models.UniqueConstraint(fields=("workspace",), condition=Q(state__in=UNFINISHED), name="one_archive_made"),
            models.CheckConstraint(name="archive_percent", condition=Q(percent__lte=100)),
        ]
        indexes = [
            models.Index(fields=("next_run_at",), name="archive_open", condition=Q(state__in=UNFINISHED)),
            models.Index(fields=("workspace", "-created_at"), name="archive_newest"),
        ]

    def __str__(self) -> str:
        return f"Archive of {self.created_at:%-d %b %Y %H:%M}"

    @property
    def is_ready(self) -> bool:
        return self.state == JobState.DONE


class ArchivePart(WorkspaceOwned):
    """One piece of the ZIP, so that any worker can write it and any web process send it, and neither holds it whole."""

    archive = models.ForeignKey(Archive, on_delete=models.CASCADE, related_name="parts")
    position = models.PositiveIntegerField()
    content = models.BinaryField()

    objects = TenantQuerySet["ArchivePart"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=("archive", "position"), name="archive_part_once")]


class Deletion(WorkspaceOwned, Job):
    """A workspace that is to go. Queued while it can be restored, until `next_run_at`; running while its rows go;
    cancelled when it was restored. It goes itself with the workspace, as the last of it."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="deletions")
    requested_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    erases_at = models.DateTimeField()

    objects = TenantQuerySet["Deletion"].as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=("workspace",), condition=~Q(state=JobState.CANCELLED), name="one_deletion_at_a_time"
            ),
            models.CheckConstraint(name="deletion_runs_after_its_grace", condition=Q(next_run_at__gte=F("erases_at"))),
        ]
        indexes = [models.Index(fields=("next_run_at",), name="deletion_open", condition=Q(state__in=UNFINISHED))]


class Retention(WorkspaceOwned):
    """For how many days a workspace keeps what it could do without; empty: as long as there is the workspace."""

    workspace = models.OneToOneField(Workspace, on_delete=models.CASCADE, related_name="retention")
    old_version_days = models.PositiveIntegerField(null=True, blank=True)
    import_file_days = models.PositiveIntegerField(null=True, blank=True)
    model_call_days = models.PositiveIntegerField(default=30)
    stream_days = models.PositiveIntegerField(default=2)

    objects = TenantQuerySet["Retention"].as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="retention_at_least_a_day",
                condition=(Q(old_version_days=None) | Q(old_version_days__gte=1))
                & (Q(import_file_days=None) | Q(import_file_days__gte=1))
                & Q(model_call_days__gte=1, stream_days__gte=1),
            )
        ]
