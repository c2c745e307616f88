from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.models.tenants import ApiKey, TenantQuerySet, WorkspaceOwned


class IdempotentRequest(WorkspaceOwned):
    """A request under an Idempotency-Key: being done by whoever holds the lease, or done, with its reply."""

    idempotency_key = models.CharField(max_length=255)
    request_hash = models.CharField(max_length=64, help_text="Of what was asked for: method, address and body.")
    api_key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, related_name="+")
    lease_token = models.UUIDField(editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    status = models.PositiveSmallIntegerField(null=True)
    headers = models.JSONField(default=dict)
    reply = models.BinaryField(null=True, editable=False, help_text="The body; encrypted where it holds a secret.")
    created_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)

    objects = TenantQuerySet["IdempotentRequest"].as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=("workspace", "idempotency_key"), name="request_once_per_idempotency_key"),
            models.CheckConstraint(
                name="idempotent_request_is_open_or_done",
                condition=Q(lease_until__isnull=False, reply=None, status=None, finished_at=None)
                | Q(lease_until=None, reply__isnull=False, status__isnull=False, finished_at__isnull=False),
            ),
        ]
        indexes = [models.Index(fields=("created_at",), name="idempotent_request_oldest")]

    def __str__(self) -> str:
        return self.idempotency_key
