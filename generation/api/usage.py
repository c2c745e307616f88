from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.dollars import decimal_usd
from accounts.quotas import used_products
from accounts.services.caps import workspace_budget
from generation.api.base import WorkspaceAPIView
from generation.api.document import operation
from generation.api.strict import StrictSerializer, UsdField
from generation.services.usage import LAYERS, By, Figures, Group, Span, read_usage, total

MAX_DAYS = 366
GROUPINGS = [By.DAY, By.MEMBER, By.KEY, By.RUN, By.MODEL, By.LAYER]


class UsageQuery(StrictSerializer):
    days = serializers.IntegerField(
        required=False, min_value=1, max_value=MAX_DAYS, default=30, help_text="Up to today, UTC."
    )
    group_by = serializers.ChoiceField(
        [by.value for by in GROUPINGS], required=False, help_text="Fills `groups`, the dearest first, days in order."
    )


class CountsReply(serializers.Serializer[Any]):
    texts = serializers.IntegerField()
    free = serializers.IntegerField(help_text="Texts served from earlier work.")
    calls = serializers.IntegerField(help_text="Upstream attempts, failed ones included.")
    cost_usd = serializers.CharField(help_text="Exact, as a decimal string.")
    saved_usd = serializers.CharField(help_text="What the free texts cost when they were first written.")


class DayReply(CountsReply):
    date = serializers.DateField()


class LayerReply(CountsReply):
    layer = serializers.ChoiceField(list(LAYERS), help_text="`model`, or the cache layer that answered.")


class GroupReply(CountsReply):
    id = serializers.CharField(allow_null=True, help_text="Null where the texts have none: no key, no run.")
    name = serializers.CharField()


class MonthReply(serializers.Serializer[Any]):
    """The present month. `limit_usd`, `left_usd` and `products_limit` are null where there is no limit."""

    spent_usd = UsdField(source="spent_nanos")
    held_usd = UsdField(source="held_nanos", help_text="What texts being written right now can cost at most.")
    limit_usd = UsdField(
        source="limit_nanos", allow_null=True, help_text="The lower of the plan's cap and the owner's."
    )
    left_usd = UsdField(source="left_nanos", allow_null=True)
    resets_at = serializers.DateTimeField()
    products_used = serializers.IntegerField()
    products_limit = serializers.IntegerField(allow_null=True)


class UsageReply(CountsReply):
    days = serializers.IntegerField()
    by_day = DayReply(many=True)
    by_layer = LayerReply(many=True)
    groups = GroupReply(many=True, allow_null=True, help_text="Null unless `group_by` is given.")
    month = MonthReply()


class Usage(WorkspaceAPIView):
    @operation("get_usage", query=UsageQuery, replies={200: UsageReply})
    def get(self, _request: Request) -> Response:
        """What was written, what it cost, and what is left of this month's cap."""
        query = self.query(UsageQuery)
        used = read_usage(self.workspace, Span.of_days(query["days"]))
        by_day = used.every_day()
        reply = {
            **counts(total(by_day)),
            "days": query["days"],
            "by_day": [{"date": day.id, **counts(day.figures)} for day in by_day],
            "by_layer": [{"layer": layer.id, **counts(layer.figures)} for layer in used.by(By.LAYER)],
            "groups": _groups(used.by(By(query["group_by"]))) if "group_by" in query else None,
            "month": self.month(),
        }
        return Response(reply)

    def month(self) -> dict[str, Any]:
        budget, products = workspace_budget(self.workspace), used_products(self.workspace)
        reply = {
            "spent_nanos": budget.spent_nanos,
            "held_nanos": budget.held_nanos,
            "limit_nanos": budget.limit_nanos,
            "left_nanos": budget.left_nanos,
            "resets_at": budget.resets_at,
            "products_used": products.used,
            "products_limit": products.limit,
        }
        return dict(MonthReply(reply).data)


def counts(figures: Figures) -> dict[str, Any]:
    return {
        "texts": figures.answers,
        "free": figures.free,
        "calls": figures.calls,
        "cost_usd": decimal_usd(figures.cost_nanos),
        "saved_usd": decimal_usd(figures.saved_nanos),
    }


def _groups(groups: list[Group]) -> list[dict[str, Any]]:
    return [{"id": group.id, "name": group.name, **counts(group.figures)} for group in groups]
