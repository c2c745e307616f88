from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone

from accounts.models.tenants import Role, TenantQuerySet, User, Workspace, WorkspaceOwned

VALID_FOR = timedelta(days=7)


def default_end() -> datetime:
    return timezone.now() + VALID_FOR


class InvitationQuerySet(TenantQuerySet["Invitation"]):
    def open(self) -> InvitationQuerySet:
        """Also those that have run out: they may be sent again."""
        return self.filter(state=Invitation.State.OPEN)

    def holding_a_seat(self) -> InvitationQuerySet:
        return self.open().filter(expires_at__gt=timezone.now())


class Invitation(WorkspaceOwned):
    """An address that may join, in a role, until it runs out. The link is signed, not stored (accounts.invitations)."""

    class State(models.TextChoices):
        OPEN = "open", "Open"
        ACCEPTED = "accepted", "Accepted"
        REVOKED = "revoked", "Revoked"

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField()
    role = models.CharField(max_length=10, choices=[choice for choice in Role.choices if choice[0] != Role.OWNER])
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    invited_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    accepted_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(default=default_end)
    closed_at = models.DateTimeField(null=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at",)
        constraints = [
            models.UniqueConstraint(
                fields=("workspace", "email"), condition=Q(state="open"), name="one_open_invitation_an_address"
            ),
            models.CheckConstraint(
                condition=Q(role__in=(Role.ADMIN, Role.EDITOR, Role.VIEWER)), name="nobody_is_invited_as_owner"
            ),
            models.CheckConstraint(condition=Q(email=Lower("email")), name="invitation_email_in_small_letters"),
            models.CheckConstraint(
                condition=Q(state="open", closed_at=None)
                | Q(state__in=("accepted", "revoked"), closed_at__isnull=False),
                name="invitation_closed_or_open",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.email} ({self.role})"

    @property
    def is_expired(self) -> bool:
        return self.state == self.State.OPEN and self.expires_at <= timezone.now()
