from __future__ import annotations

import uuid

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from accounts.models.tenants import User


class KnownDevice(models.Model):
    """A browser or program in a network that somebody signed in from; anything else is told to them by mail."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="known_devices")
    digest = models.CharField(max_length=64, help_text="SHA-256 of what it is and where: enough to know it again.")
    seen_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=("user", "digest"), name="known_device_once")]

    def __str__(self) -> str:
        return self.digest[:8]


class Impersonation(models.Model):
    """A member of the staff sees the product as a user does: for a reason, for a while, and in everybody's sight."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    staff = models.ForeignKey(User, on_delete=models.CASCADE, related_name="impersonations_of_others")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="impersonations")
    reason = models.CharField(max_length=200)
    began_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-began_at",)
        constraints = [
            models.UniqueConstraint(fields=("staff",), condition=Q(ended_at=None), name="impersonation_one_at_a_time"),
            models.CheckConstraint(condition=~Q(staff=F("user")), name="impersonation_of_somebody_else"),
            models.CheckConstraint(condition=~Q(reason=""), name="impersonation_has_a_reason"),
            models.CheckConstraint(condition=Q(expires_at__gt=F("began_at")), name="impersonation_ends"),
        ]

    def __str__(self) -> str:
        return f"{self.staff} as {self.user}"

    @property
    def is_running(self) -> bool:
        return self.ended_at is None and self.expires_at > timezone.now()
