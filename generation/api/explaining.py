"""`?explain=1`: where a text came from, and why not from an earlier one."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from generation.api.strict import StrictSerializer, UsdField
from generation.families.slots import slot
from generation.models import Text
from generation.services.explaining import Explanation, Nearest, explain
from generation.services.usage import LAYERS


class ExplainQuery(StrictSerializer):
    explain = serializers.BooleanField(required=False, default=False, help_text="Fill `explanation`.")


class StepReply(serializers.Serializer[Any]):
    layer = serializers.ChoiceField(list(LAYERS))
    outcome = serializers.ChoiceField(
        ["hit", "miss", "none", "chosen", "refused", "unreachable", "shared"],
        help_text="`none`: this layer was not for this request. The last four are of models: `chosen` says why this "
        "one was, `refused` what the check said of another one's text, `shared` with how many requests a call was.",
    )
    reason = serializers.CharField()


class DifferenceReply(serializers.Serializer[Any]):
    """Empty where that side has nothing under the label."""

    label = serializers.CharField(help_text="Of what differs.")  # type: ignore[assignment]
    there = serializers.CharField()
    here = serializers.CharField()


class NearestReply(serializers.Serializer[Nearest]):
    """Without differences it was made by the offline writer or under older rules."""

    title = serializers.CharField()
    written_at = serializers.DateTimeField()
    differences = DifferenceReply(many=True)


class TemplateReply(serializers.Serializer[Explanation]):
    text = serializers.SerializerMethodField(help_text="The family's text, with slots such as `{{color}}`.")
    slots = serializers.DictField(child=serializers.CharField(), help_text="What filled each.")

    def get_text(self, explanation: Explanation) -> str:
        return "".join(slot(piece.slot) if piece.slot else piece.text for piece in explanation.template)


class ExplanationReply(serializers.Serializer[Explanation]):
    source = serializers.ChoiceField(Text.Source.choices, help_text="Which layer answered.")  # type: ignore[assignment]
    steps = StepReply(many=True, help_text="What each layer said, in order.")
    saved_usd = UsdField(source="saved_nanos", help_text="What writing it anew would have cost.")
    nearest = NearestReply(
        many=True, help_text="Known texts of this workspace that were not served, and what differs; at most three."
    )
    template = serializers.SerializerMethodField(allow_null=True, help_text="Null unless it was filled from one.")

    @extend_schema_field(TemplateReply(allow_null=True))
    def get_template(self, explanation: Explanation) -> Any:
        return TemplateReply(explanation).data if explanation.template else None


def explanation_of(text: Text, *, is_wanted: bool) -> Any:
    """None unless it is asked for: it takes queries of its own."""
    return ExplanationReply(explain(text)).data if is_wanted else None
