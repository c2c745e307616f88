from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from generation.api.base import WorkspaceAPIView, body_hash
from generation.api.document import operation
from generation.api.strict import StrictSerializer, TextField, UsdField
from generation.api.texts import TextReply, text_reply
from generation.models import Refinement, Text
from generation.services.refining import MAX_WISH, refine


class RefineBody(StrictSerializer):
    instruction = TextField(max_length=MAX_WISH, help_text="What is to change, such as `shorter` or `less salesy`.")


class RefinementReply(serializers.Serializer[Refinement]):
    id = serializers.UUIDField()
    instruction = serializers.CharField(source="wish")
    text = serializers.SerializerMethodField(help_text="Null where the wish was not followed.")
    answer = serializers.CharField(help_text="Why it was not followed; empty where it was.")
    cost_usd = UsdField(source="cost_nanos", help_text="Exact, as a decimal string.")
    created_at = serializers.DateTimeField()

    @extend_schema_field(TextReply(allow_null=True))
    def get_text(self, refinement: Refinement) -> dict[str, Any] | None:
        return text_reply(refinement.text) if refinement.text else None


class RefineText(WorkspaceAPIView):
    @operation("refine_text", body=RefineBody, replies={200: RefinementReply}, errors=[402, 404, 409, 503])
    def post(self, request: Request, pk: str) -> Response:
        """Change a text in one respect. For a product's text the reply holds a proposal, to be kept or rejected; refine
        that one to go on with the conversation. A wish that needs what the facts do not state is answered in words,
        and no text is written for it."""
        text: Text = self.find(Text.objects.select_related("product__text", "product__catalogue"), pk)
        instruction = self.body(RefineBody)["instruction"]
        key = self.idempotency_key()
        refinement = refine(
            text=text,
            wish=instruction,
            payer=self.payer,
            by=self.person,
            idempotency_key=key,
            request_hash=body_hash([str(pk), request.data]) if key else "",
        )
        return Response(RefinementReply(refinement).data)
