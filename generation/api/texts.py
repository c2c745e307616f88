from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from contentopt.errors import Conflict
from generation.api.base import NewestFirst, StrictSerializer, WorkspaceAPIView, body_hash, page, usd
from generation.api.briefs import DescriptionBody, TextField, brief_from_body
from generation.models import Text
from generation.services.texts import describe, edit_text

IDEMPOTENCY = OpenApiParameter(
    "Idempotency-Key", str, "header", description="Repeating a key with the same body repeats the reply, free."
)


class EvidenceReply(serializers.Serializer[Any]):
    sentence = serializers.CharField()
    start = serializers.IntegerField()
    end = serializers.IntegerField()
    facts = serializers.ListField(child=serializers.CharField())


class TextReply(serializers.Serializer[Text]):
    id = serializers.UUIDField()
    product = serializers.UUIDField(source="product_id", allow_null=True)
    version = serializers.IntegerField()
    text = serializers.CharField(source="description")
    seo_title = serializers.CharField()
    meta_description = serializers.CharField()
    source = serializers.CharField()
    model = serializers.CharField(source="model_id")
    is_offline = serializers.BooleanField()
    cost_usd = serializers.SerializerMethodField()
    tokens = serializers.DictField(child=serializers.IntegerField())
    evidence = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()

    def get_cost_usd(self, text: Text) -> str:
        return usd(text.cost_nanos)

    def get_evidence(self, text: Text) -> list[dict[str, Any]]:
        return [
            {
                "sentence": text.description[row["start"] : row["end"]],
                "start": row["start"],
                "end": row["end"],
                "facts": row["labels"],
            }
            for row in text.evidence
        ]


class RemainingReply(serializers.Serializer[Any]):
    minute = serializers.IntegerField(allow_null=True)
    day = serializers.IntegerField(allow_null=True)


class DescriptionReply(TextReply):
    remaining = RemainingReply()


class Descriptions(WorkspaceAPIView):
    @extend_schema(request=DescriptionBody, responses={200: DescriptionReply}, parameters=[IDEMPOTENCY])
    def post(self, request: Request) -> Response:
        """Describe one product. The text states only what the product's facts state."""
        body = DescriptionBody(data=request.data)
        body.is_valid(raise_exception=True)
        text = describe(
            workspace=self.workspace,
            brief=brief_from_body(body.validated_data),
            idempotency_key=self.idempotency_key(),
            request_hash=body_hash(request.data),
        )
        return Response({**TextReply(text).data, "remaining": self.allowance.remaining()})


class Texts(WorkspaceAPIView):
    @extend_schema(responses=TextReply(many=True), parameters=[OpenApiParameter("product", str)])
    def get(self, request: Request) -> Response:
        """Every text of the workspace, newest first."""
        texts = Text.objects.in_workspace(self.workspace)
        if product := request.query_params.get("product"):
            texts = texts.filter(product_id=product)
        return page(self, NewestFirst(), texts, TextReply)


class TextChange(StrictSerializer):
    text = TextField(max_length=20_000, required=False)
    seo_title = TextField(max_length=500, required=False, allow_blank=True)
    meta_description = TextField(max_length=1_000, required=False, allow_blank=True)


class OneText(WorkspaceAPIView):
    @extend_schema(responses=TextReply)
    def get(self, _request: Request, pk: str) -> Response:
        """One text with its evidence."""
        return Response(TextReply(self.find(Text.objects.all(), pk)).data)

    @extend_schema(request=TextChange, responses=TextReply)
    def patch(self, request: Request, pk: str) -> Response:
        """Edit a product's present text. The edit becomes a new version; the old one stays in the history."""
        text: Text = self.find(Text.objects.select_related("product__catalogue", "product__text"), pk)
        if text.product is None or text.product.text_id != text.pk:
            raise Conflict("Only the present text of a product can be edited.")
        body = TextChange(data=request.data)
        body.is_valid(raise_exception=True)
        changes = dict(body.validated_data)
        changes["description"] = changes.pop("text", text.description)
        return Response(TextReply(edit_text(product=text.product, fields=changes, editor=None)).data)
