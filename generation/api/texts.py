from __future__ import annotations

from typing import Any, ClassVar

from django.http import Http404
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.throttling import Allowance
from contentopt.errors import Conflict
from generation.api.base import PageQuery, WorkspaceAPIView
from generation.api.conditional import version_of
from generation.api.document import operation
from generation.api.explaining import ExplainQuery, ExplanationReply, explanation_of
from generation.api.strict import StrictSerializer, TextField, UsdField
from generation.engine.answered import bring_in
from generation.engine.storing import locked
from generation.models import Text
from generation.services.decisions import MAX_REASON, keep_text, reject_text
from generation.services.texts import MAX_TEXT, edit_text


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
    bullets = serializers.SerializerMethodField(help_text="Benefit bullets, if they were asked for.")
    source = serializers.ChoiceField(Text.Source.choices)  # type: ignore[assignment]
    model = serializers.CharField(source="model_id")
    is_offline = serializers.BooleanField(help_text="Composed by the offline writer, without a model.")
    cost_usd = UsdField(source="cost_nanos", help_text="Exact, as a decimal string.")
    tokens = serializers.DictField(child=serializers.IntegerField())
    evidence = serializers.SerializerMethodField()
    is_proposal = serializers.BooleanField(
        source="is_undecided", help_text="Another wording that waits to be kept or rejected; not the product's text."
    )
    rejected_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()

    def get_bullets(self, text: Text) -> list[str]:
        return text.bullets.splitlines()

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


class ExplainedReply(TextReply):
    explanation = ExplanationReply(allow_null=True, help_text="Null unless `explain=1`.")


class DescriptionReply(ExplainedReply):
    remaining = RemainingReply()


# One for all replies: making a serializer takes ten times as long as using it.
TEXT_REPLY = TextReply()


def text_reply(text: Text) -> dict[str, Any]:
    return TEXT_REPLY.to_representation(text)


def description_reply(reply: dict[str, Any], allowance: Allowance, explanation: Any = None) -> dict[str, Any]:
    return {**reply, "explanation": explanation, "remaining": allowance.remaining()}


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


WRITTEN = ("text", "seo_title", "meta_description", "bullets")


class TextChange(StrictSerializer):
    rules: ClassVar[dict[str, Any]] = {"anyOf": [{"required": [name]} for name in WRITTEN]}

    text = TextField(max_length=MAX_TEXT, required=False)
    seo_title = TextField(max_length=500, required=False, allow_blank=True)
    meta_description = TextField(max_length=1_000, required=False, allow_blank=True)
    bullets = serializers.ListField(child=TextField(max_length=500), required=False, max_length=20)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs.keys() & set(WRITTEN):
            raise serializers.ValidationError("Send `text`, `seo_title`, `meta_description` or `bullets`.")
        return attrs


class OneText(WorkspaceAPIView):
    def version(self, pk: Any = None) -> str | None:
        # What an explanation says depends on other texts as well.
        is_plain = not self.request.query_params
        return version_of(Text.objects.in_workspace(self.workspace).filter(pk=pk)) if is_plain else None

    def hold(self, pk: Any = None) -> None:
        """Pages and programs alike decide about a product's texts with the product locked."""
        lock_product(self.find(Text.objects.select_related("product"), pk))

    @operation("get_text", query=ExplainQuery, replies={200: ExplainedReply}, errors=[404])
    def get(self, _request: Request, pk: str) -> Response:
        """One text with its evidence; with `explain=1` also where it came from."""
        is_explained = self.query(ExplainQuery)["explain"]
        texts = Text.objects.select_related("product")
        try:
            text = self.find(texts, pk)
        except Http404:
            bring_in()
            text = self.find(texts, pk)
        return Response({**text_reply(text), "explanation": explanation_of(text, is_wanted=is_explained)})

    @operation("edit_text", body=TextChange, replies={200: TextReply}, errors=[404, 409])
    def patch(self, _request: Request, pk: str) -> Response:
        """Edit a product's present text, or a proposal, which is kept by that. The reply is the new version; earlier
        ones stay in the history. If it says only what the facts say, it is served for the same facts from now on."""
        changes = self.body(TextChange)
        return Response(TextReply(change_text(self.find(EDITABLE, pk), changes)).data)


EDITABLE = Text.objects.select_related("product__catalogue", "product__text")


def lock_product(text: Text) -> None:
    if text.product:
        locked(text.product)


def change_text(text: Text, changes: dict[str, Any]) -> Text:
    """`changes` as TextChange validates them."""
    if text.product is None or not (text.product.text_id == text.pk or text.is_undecided):
        raise Conflict("Only the present text of a product, or a proposal for it, can be edited.")
    fields = {**changes, "description": changes.get("text", text.description)}
    if "bullets" in fields:
        fields["bullets"] = "\n".join(" ".join(bullet.split()) for bullet in fields["bullets"])
    return edit_text(product=text.product, fields=fields, editor=None, proposal=text.pk)


class KeepBody(StrictSerializer):
    """No fields."""


class KeepText(WorkspaceAPIView):
    @operation("keep_text", body=KeepBody, replies={200: TextReply}, errors=[404, 409])
    def post(self, _request: Request, pk: str) -> Response:
        """Make a proposal the product's text, and what is served for the same facts and wishes from now on."""
        self.body(KeepBody)
        return Response(TextReply(keep_text(self.find(Text.objects.select_related("product"), pk))).data)


class RejectBody(StrictSerializer):
    reason = TextField(max_length=MAX_REASON, default="", allow_blank=True, help_text="Stands in the history.")


class RejectText(WorkspaceAPIView):
    @operation("reject_text", body=RejectBody, replies={200: TextReply}, errors=[404])
    def post(self, _request: Request, pk: str) -> Response:
        """A text is not usable: it is not served again, and the product goes back to its last good version, or to
        none. A proposal is discarded. Either stays in the history; rejecting twice is rejecting once."""
        reason = self.body(RejectBody)["reason"]
        text = self.find(Text.objects.select_related("product"), pk)
        return Response(TextReply(reject_text(text, by=self.key.created_by, reason=reason)).data)
