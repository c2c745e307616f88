from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Scope
from accounts.services.caps import BudgetState, key_budget, set_workspace_cap, workspace_budget
from generation.api.base import WorkspaceAPIView
from generation.api.document import operation
from generation.api.strict import DollarsField, StrictSerializer, UsdField


class BudgetBody(StrictSerializer):
    limit_usd = DollarsField(allow_null=True, help_text="The workspace's own cap a month; null is the plan's alone.")


class CapReply(serializers.Serializer[BudgetState]):
    """Dollars as exact decimal strings; null is no limit."""

    limit_usd = UsdField(source="limit_nanos", allow_null=True, help_text="In force now.")
    plan_limit_usd = UsdField(source="plan_limit_nanos", allow_null=True)
    spent_usd = UsdField(source="spent_nanos")
    held_usd = UsdField(source="held_nanos", help_text="For texts being written right now.")
    left_usd = UsdField(source="left_nanos", allow_null=True)
    overdraft_usd = UsdField(
        source="overdraft_nanos", help_text="Spent or held beyond the limit, because it was lowered meanwhile."
    )
    resets_at = serializers.DateTimeField()
    note = serializers.CharField(help_text="What a cap that is used up means, in words.")


class BudgetReply(CapReply):
    key = serializers.SerializerMethodField(
        allow_null=True, help_text="The cap of the key that asks; null without one."
    )

    @extend_schema_field(CapReply(allow_null=True))
    def get_key(self, _state: BudgetState) -> Any:
        state = self.context.get("key")
        return CapReply(state).data if state else None


class Budget(WorkspaceAPIView):
    @property
    def required_scope(self) -> str:
        return Scope.READ if self.request.method in SAFE_METHODS else Scope.BILLING

    def reply(self, state: BudgetState) -> Response:
        return Response(BudgetReply(state, context={"key": key_budget(self.key) if self.key else None}).data)

    @operation("get_budget", replies={200: BudgetReply})
    def get(self, _request: Request) -> Response:
        """This month's cap on spending: how much of it is spent, held and left, and when it starts afresh."""
        return self.reply(workspace_budget(self.workspace))

    @operation("set_budget", body=BudgetBody, replies={200: BudgetReply})
    def put(self, _request: Request) -> Response:
        """Set the workspace's cap. Below what is spent it stops paid calls at once; known texts are still served."""
        cap = self.body(BudgetBody)["limit_usd"]
        return self.reply(set_workspace_cap(workspace=self.workspace, cap_nanos=cap))
