from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from generation.api.base import WorkspaceAPIView, usd
from generation.api.document import operation
from generation.api.strict import StrictSerializer
from generation.services.usage import usage_since

MAX_DAYS = 366


class UsageQuery(StrictSerializer):
    days = serializers.IntegerField(required=False, min_value=1, max_value=MAX_DAYS, default=30)


class CountsReply(serializers.Serializer[Any]):
    texts = serializers.IntegerField()
    free = serializers.IntegerField(help_text="Texts served from earlier work.")
    calls = serializers.IntegerField(help_text="Upstream attempts, failed ones included.")
    cost_usd = serializers.SerializerMethodField()

    def get_cost_usd(self, counts: Any) -> str:
        return usd(counts.cost_nanos)


class DayReply(CountsReply):
    date = serializers.DateField()


class UsageReply(CountsReply):
    days = serializers.IntegerField()
    by_day = DayReply(many=True)


class Usage(WorkspaceAPIView):
    @operation("get_usage", query=UsageQuery, replies={200: UsageReply})
    def get(self, _request: Request) -> Response:
        """What was written and what it cost, in all and by day."""
        return Response(UsageReply(usage_since(self.workspace, **self.query(UsageQuery))).data)
