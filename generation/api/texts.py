from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from contentopt.errors import Conflict
from generation.api.base import PageQuery, WorkspaceAPIView, body_hash, usd
from generation.api.briefs import DescriptionBody, brief_from_body
from generation.api.document import operation
from generation.api.strict import StrictSerializer, TextField
from generation.models import Text
from generation.services.texts import MAX_TEXT, describe, edit_text


class EvidenceReply(serializers.Serializer[Any]):
    sentence = serializers.CharField()
    start = serializers.IntegerField(help_text="Offsets into `text`, in characters.")
    end = serializers.IntegerField()
    facts = serializers.ListField(child=serializers.CharField(), help_text="Labels of the facts it stands on.")


class TextReply(serializers.Serializer[Text]):
    id = serializers.UUIDField()
    product = serializers.UUIDField(source="product_id", allow_null=True)
    version = serializers.IntegerField()
    text = serializers.CharField(source="description")
    seo_title = serializers.CharField()
    meta_description = serializers.CharField()
    source = serializers.ChoiceField(Text.Source.choices)  # type: ignore[assignment]
    model = serializers.CharField(source="model_id")
    is_offline = serializers.BooleanField(help_text="Composed by the offline writer, without a model.")
    cost_usd = serializers.SerializerMethodField(help_text="Exact, as a decimal string.")
    tokens = serializers.DictField(child=serializers.IntegerField())
    evidence = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()

    def get_cost_usd(self, text: Text) -> str:
        return usd(text.cost_nanos)

    @extend_schema_field(EvidenceReply(many=True))
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
    """Requests the plan still allows; null where it has no such limit."""

    minute = serializers.IntegerField(allow_null=True)
    day = serializers.IntegerField(allow_null=True)


class DescriptionReply(TextReply):
    remaining = RemainingReply()


class Descriptions(WorkspaceAPIView):
    @operation(
        "create_description", body=DescriptionBody, replies={200: DescriptionReply}, errors=[503], idempotent=True
    )
    def post(self, request: Request) -> Response:
        """Describe one product. The text states only what the product's facts state."""
        key = self.idempotency_key()
        text = describe(
            workspace=self.workspace,
            brief=brief_from_body(self.body(DescriptionBody)),
            idempotency_key=key,
            request_hash=body_hash(request.data),
        )
        return Response({**TextReply(text).data, "remaining": self.allowance.remaining()})


class TextsQuery(PageQuery):
    product = serializers.UUIDField(required=False, help_text="Only the versions of this product.")


class Texts(WorkspaceAPIView):
    @operation("list_texts", query=TextsQuery, replies={200: TextReply(many=True)})
    def get(self, _request: Request) -> Response:
        """Every text of the workspace, newest first."""
        query = self.query(TextsQuery)
        texts = Text.objects.in_workspace(self.workspace)
        if "product" in query:
            texts = texts.filter(product_id=query["product"])
        return self.page(texts, TextReply)


class TextChange(StrictSerializer):
    text = TextField(max_length=MAX_TEXT, required=False)
    seo_title = TextField(max_length=500, required=False, allow_blank=True)
    meta_description = TextField(max_length=1_000, required=False, allow_blank=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs:
            raise serializers.ValidationError("Send `text`, `seo_title` or `meta_description`.")
        return attrs


class OneText(WorkspaceAPIView):
    @operation("get_text", replies={200: TextReply}, errors=[404])
    def get(self, _request: Request, pk: str) -> Response:
        """One text with its evidence."""
        return Response(TextReply(self.find(Text.objects.all(), pk)).data)

    @operation("edit_text", body=TextChange, replies={200: TextReply}, errors=[404, 409])
    def patch(self, _request: Request, pk: str) -> Response:
        """Edit a product's present text. The reply is the new version; earlier ones stay in the history."""
        text: Text = self.find(Text.objects.select_related("product__catalogue", "product__text"), pk)
        changes = self.body(TextChange)
        if text.product is None or text.product.text_id != text.pk:
            raise Conflict("Only the present text of a product can be edited.")
        changes["description"] = changes.pop("text", text.description)
        return Response(TextReply(edit_text(product=text.product, fields=changes, editor=None)).data)
