from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from contentopt.errors import DomainError
from generation.api.base import WorkspaceAPIView, usd
from generation.services.usage import usage_since

MAX_DAYS = 366


class DayReply(serializers.Serializer[Any]):
    date = serializers.DateField()
    texts = serializers.IntegerField()
    free = serializers.IntegerField()
    calls = serializers.IntegerField()
    cost_usd = serializers.CharField()


class UsageReply(serializers.Serializer[Any]):
    days = serializers.IntegerField()
    texts = serializers.IntegerField()
    free = serializers.IntegerField(help_text="Texts served from earlier work.")
    calls = serializers.IntegerField(help_text="Upstream attempts, failed ones included.")
    cost_usd = serializers.CharField()
    by_day = DayReply(many=True)


class Usage(WorkspaceAPIView):
    @extend_schema(responses=UsageReply, parameters=[OpenApiParameter("days", int)])
    def get(self, request: Request) -> Response:
        """What was written and what it cost, in all and by day."""
        days = request.query_params.get("days", "30")
        if not days.isdecimal() or not 1 <= int(days) <= MAX_DAYS:
            raise DomainError(f"`days` is a whole number from 1 to {MAX_DAYS}.", code="invalid")
        usage = usage_since(self.workspace, days=int(days))
        return Response(
            {
                "days": usage.days,
                "texts": usage.texts,
                "free": usage.free,
                "calls": usage.calls,
                "cost_usd": usd(usage.cost_nanos),
                "by_day": [
                    {
                        "date": day.date,
                        "texts": day.texts,
                        "free": day.free,
                        "calls": day.calls,
                        "cost_usd": usd(day.cost_nanos),
                    }
                    for day in usage.by_day
                ],
            }
        )
