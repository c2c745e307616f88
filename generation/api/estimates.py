from __future__ import annotations

from typing import Any

from drf_spectacular.utils import PolymorphicProxySerializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from generation.api.base import validated
from generation.api.briefs import DescriptionBody, brief_from_body
from generation.api.document import operation
from generation.api.runs import RunBody, RunSelection
from generation.api.strict import UsdField
from generation.services import runs
from generation.services.runs import Estimate, LaterPrice

RUN_FIELDS = ("catalogue", "products")


class LaterReply(serializers.Serializer[LaterPrice]):
    ceiling_usd = UsdField(source="ceiling_nanos", help_text="It cannot cost more.")
    likely_usd = UsdField(source="likely_nanos")
    model = serializers.CharField(source="model_id")
    within_hours = serializers.IntegerField(
        source="hours", help_text="When the provider gives up on a batch; usually it is back within an hour."
    )
    fits_budget = serializers.BooleanField()


class EstimateReply(serializers.Serializer[Estimate]):
    products = serializers.IntegerField()
    known = serializers.IntegerField(help_text="Served from earlier work, at no cost.")
    calls = serializers.IntegerField(
        help_text="Texts likely to be written by a model; equal facts and families share one."
    )
    filled = serializers.IntegerField(help_text="Texts likely to be filled from a sibling's, at no cost.")
    ceiling_usd = UsdField(source="ceiling_nanos", help_text="It cannot cost more.")
    likely_usd = UsdField(source="likely_nanos", help_text="What texts of this kind usually cost.")
    seconds = serializers.FloatField(help_text="How long it will take, about.")
    model = serializers.CharField(source="model_id", help_text="Asked first.")
    escalates_to = serializers.CharField(
        help_text="Asked where a text of the first fails the check, which `ceiling_usd` counts in full. May be empty."
    )
    fits_budget = serializers.BooleanField(help_text="True: it cannot be refused for money. Else it may stop at a cap.")
    budget_left_usd = UsdField(
        source="room_nanos",
        allow_null=True,
        help_text="Left of the tightest cap on this key: its own, its maker's, the workspace's.",
    )
    products_left = serializers.IntegerField(
        allow_null=True, help_text="Left of the plan's products this month. Null without a limit."
    )
    over_quota = serializers.IntegerField(
        help_text="About how many the month has no place for: they would be refused with `quota_exceeded`."
    )
    later = LaterReply(
        allow_null=True,
        help_text="The price of a run with `urgency` `later`. Null where no model takes batches. One description is "
        "always written now.",
    )


class Estimates(RunSelection):
    @operation(
        "estimate",
        body=PolymorphicProxySerializer(
            component_name="EstimateBody", serializers=[DescriptionBody, RunBody], resource_type_field_name=None
        ),
        replies={200: EstimateReply},
        errors=[404, 503],
    )
    def post(self, request: Request) -> Response:
        """What a description or a run would cost, before it is asked for. The body is that of the request itself."""
        return Response(EstimateReply(self.estimate(request.data)).data)

    def estimate(self, data: Any) -> Estimate:
        if isinstance(data, dict) and any(field in data for field in RUN_FIELDS):
            chosen = self.selection(validated(RunBody, data))
            return runs.estimate_run(payer=self.payer, products=chosen["products"], wishes=chosen["wishes"])
        brief = brief_from_body(validated(DescriptionBody, data), highest=self.workspace.plan.highest_tier)
        return runs.estimate_brief(payer=self.payer, brief=brief)
