from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.models.tenants import TenantQuerySet, Workspace, WorkspaceOwned


class Action(models.TextChoices):
    """What is written down of who did it: the words of programs, and those of people. A column without choices, so that
    another action is a line here and no migration."""

    WORKSPACE_CREATED = "workspace.created", "Created the workspace"
    DELETION_REQUESTED = "workspace.deletion_requested", "Asked for the workspace to be deleted"
    WORKSPACE_RESTORED = "workspace.restored", "Took the deletion back"
    WORKSPACE_DELETED = "workspace.deleted", "Deleted a workspace for good"
    MEMBER_INVITED = "member.invited", "Invited somebody"
    INVITATION_REVOKED = "member.invitation_revoked", "Took an invitation back"
    MEMBER_JOINED = "member.joined", "Joined"
    MEMBER_ROLE_CHANGED = "member.role_changed", "Changed a member's role"
    MEMBER_REMOVED = "member.removed", "Removed a member"
    MEMBER_LEFT = "member.left", "Left"
    OWNERSHIP_GIVEN = "member.ownership_given", "Gave the workspace to another owner"
    KEY_CREATED = "key.created", "Made an API key"
    KEY_LIMITED = "key.limited", "Changed an API key's limits"
    KEY_ROTATED = "key.rotated", "Gave an API key another secret"
    KEY_REVOKED = "key.revoked", "Revoked an API key"
    PLAN_CHANGED = "plan.changed", "Changed the plan"
    CAP_CHANGED = "cap.changed", "Changed a cap"
    LIMITS_CHANGED = "cap.requests_changed", "Changed how often a member may ask"
    ALERTS_CHANGED = "settings.alerts", "Changed when alerts are sent"
    EXPORT_RULE_CHANGED = "settings.exports", "Changed which texts are exported"
    RETENTION_CHANGED = "settings.retention", "Changed how long data is kept"
    FILE_DOWNLOADED = "download.file", "Downloaded a file with its texts"
    REPORT_DOWNLOADED = "download.report", "Downloaded a table"
    ARCHIVE_DOWNLOADED = "download.archive", "Downloaded everything"
    ARCHIVE_REQUESTED = "archive.requested", "Asked for an archive of everything"
    FILE_DELETED = "file.deleted", "Deleted an import with its products and texts"
    CACHE_PURGED = "cache.purged", "Purged known texts"
    SIGNED_IN = "sign_in.succeeded", "Signed in"
    STAFF_OPENED = "staff.opened", "Opened the workspace's data"
    IMPERSONATION_BEGAN = "staff.impersonation_began", "Began to act as a member"
    IMPERSONATION_ENDED = "staff.impersonation_ended", "Stopped acting as a member"
    PLAN_EDITED = "platform.plan_edited", "Edited what a plan allows"
    SPENDING_STOPPED = "platform.spending_stopped", "Stopped all paid calls"
    SPENDING_RESUMED = "platform.spending_resumed", "Let paid calls go on"
    ACCOUNT_DELETED = "account.deleted", "Deleted an account"


class AuditEntry(WorkspaceOwned):
    """Who did what, when and from where. Written in the transaction of what happened; never changed, and gone only with
    its workspace (triggers, sql/audit.sql). The platform's own workspace stands for the platform.

    Who and what are plain ids, as in the ledger: names are looked up when it is read. So a line outlives what it names,
    and holds nobody's address once their account is deleted.
    """

    class Actor(models.TextChoices):
        USER = "user", "Member"
        KEY = "key", "API key"
        STAFF = "staff", "ContentOpt staff"
        SYSTEM = "system", "ContentOpt"

    # No index of its own: `audit_newest` begins with it.
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+", db_index=False)
    actor = models.CharField(max_length=6, choices=Actor.choices)
    user_id = models.UUIDField(null=True, help_text="Of the person, also of staff.")
    api_key_id = models.UUIDField(null=True)
    action = models.CharField(max_length=40)
    target_kind = models.CharField(max_length=30, blank=True)
    target_id = models.CharField(max_length=60, blank=True)
    details = models.JSONField(default=dict, help_text="Figures and short words; no secrets, no texts, no addresses.")
    address = models.GenericIPAddressField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    objects = TenantQuerySet["AuditEntry"].as_manager()

    class Meta:
        verbose_name = "audit entry"
        verbose_name_plural = "audit entries"
        ordering = ("-created_at", "-id")
        constraints = [
            models.CheckConstraint(
                name="audit_names_its_actor",
                condition=Q(actor="system", user_id=None, api_key_id=None)
                | Q(actor__in=("user", "staff"), user_id__isnull=False)
                | Q(actor="key", api_key_id__isnull=False),
            )
        ]
        indexes = [models.Index(fields=("workspace", "-created_at", "-id"), name="audit_newest")]

    def __str__(self) -> str:
        return f"{self.action} ({self.created_at:%Y-%m-%d %H:%M})"

    @property
    def words(self) -> str:
        return str(Action(self.action).label) if self.action in Action.values else self.action

    @property
    def facts(self) -> list[tuple[str, str]]:
        """The details, in words."""
        return [(name.replace("_", " "), _said(value)) for name, value in self.details.items()]


def _said(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return {True: "yes", False: "no", None: "none", "": "none"}.get(value, str(value))  # type: ignore[call-overload,no-any-return]
