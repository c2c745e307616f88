from __future__ import annotations

from django.db import models
from django.db.models import Q

from accounts.models.tenants import TenantQuerySet, Workspace, WorkspaceOwned
from contentopt.jobs import Job, JobState


class Notice(WorkspaceOwned, Job):
    """Something a workspace's people are told once: by mail, which is its job, and in the app until they close it.

    `topic` is unique, so that the same thing is told once whoever notices it: `budget/17/80`, `quota/2026-11/100`,
    `week/2026-W48`, `model/7/…`, `mention/<comment>/<member>`. The platform's own workspace stands for the staff.
    """

    class Kind(models.TextChoices):
        BUDGET = "budget", "Budget threshold"
        QUOTA = "quota", "Quota threshold"
        WEEK = "week", "Weekly summary"
        STAFF = "staff", "For the staff"
        BILLING = "billing", "Payment and plan"
        WEBHOOK = "webhook", "Webhook endpoint in trouble"
        INVITATION = "invitation", "Invitation"
        TEAM = "team", "Who is in the workspace"
        RIGHTS = "rights", "Archive and deletion"
        MENTION = "mention", "Mentioned in a comment"

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="notices")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    topic = models.CharField(max_length=80)
    details = models.JSONField(default=dict, help_text="The figures as they were.")
    closed_at = models.DateTimeField(null=True, help_text="Somebody has read it in the app.")

    objects = TenantQuerySet["Notice"].as_manager()

    class Meta:
        ordering = ("-created_at",)
        constraints = [models.UniqueConstraint(fields=("workspace", "topic"), name="told_once")]
        indexes = [
            models.Index(
                fields=("next_run_at",),
                name="notice_to_send",
                condition=Q(state__in=(JobState.QUEUED, JobState.RUNNING)),
            )
        ]
