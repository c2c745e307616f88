from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import audit
from accounts.models import Action, AuditEntry, Scope
from generation.api.base import PageQuery, WorkspaceAPIView
from generation.api.document import operation
from generation.api.strict import TextField


class AuditQuery(PageQuery):
    actions = TextField(
        required=False, max_length=40, help_text="What actions begin with: `key` for `key.created` and `key.revoked`."
    )
    who = serializers.UUIDField(required=False, help_text="Of a member or an API key.")
    first = serializers.DateField(required=False, help_text="The first day, UTC.")
    last = serializers.DateField(required=False, help_text="The last day, UTC.")


class AuditEntryReply(serializers.Serializer[AuditEntry]):
    id = serializers.UUIDField()
    created_at = serializers.DateTimeField()
    action = serializers.CharField(help_text=f"Such as `{Action.KEY_CREATED}`. Others may come to be.")
    actor = serializers.ChoiceField(AuditEntry.Actor.choices)
    user = serializers.UUIDField(source="user_id", allow_null=True)
    api_key = serializers.UUIDField(source="api_key_id", allow_null=True)
    address = serializers.IPAddressField(allow_null=True)
    target_kind = serializers.CharField(allow_blank=True)
    target_id = serializers.CharField(allow_blank=True)
    details = serializers.DictField(help_text="Figures and short words.")


class Audit(WorkspaceAPIView):
    required_scope = Scope.ADMIN

    @operation("list_audit_entries", query=AuditQuery, replies={200: AuditEntryReply(many=True)})
    def get(self, _request: Request) -> Response:
        """Who did what, newest first."""
        query: dict[str, Any] = self.query(AuditQuery)
        wanted = {name: query[name] for name in ("actions", "who", "first", "last") if name in query}
        return self.page(audit.entries(self.workspace, audit.Choice(**wanted)), AuditEntryReply)
