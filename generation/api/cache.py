from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Scope
from generation.api.base import WorkspaceAPIView
from generation.api.document import operation
from generation.api.strict import StrictSerializer, TextField, UsdField
from generation.caching.purging import Purged
from generation.models import CachedText, Product
from generation.services import cache

MOST_DAYS = 3_650


class PurgeQuery(StrictSerializer):
    """What to purge: all that is given must be met; without anything it is the whole cache of the workspace."""

    model = TextField(required=False, max_length=100, help_text="Texts by this model, such as `offline-1`.")
    product = serializers.UUIDField(required=False, help_text="Texts for this product's facts, and their templates.")
    older_than_days = serializers.IntegerField(
        required=False, min_value=1, max_value=MOST_DAYS, help_text="Texts written before that."
    )


class KeptReply(serializers.Serializer[cache.Kept]):
    origin = serializers.ChoiceField(CachedText.Origin.choices, help_text="The layer that made the texts.")
    texts = serializers.IntegerField()
    hits = serializers.IntegerField(help_text="How often they answered since.")
    saved_usd = UsdField(source="saved_nanos", help_text="What those answers would have cost.")
    bytes = serializers.IntegerField()


class CacheReply(serializers.Serializer[cache.Cache]):
    """What would be served now, of the workspace's own; the public pool is not counted."""

    texts = serializers.IntegerField()
    templates = serializers.IntegerField(help_text="Texts of families, with slots for what differs.")
    refused = serializers.IntegerField(help_text="Families that are written one by one for now.")
    hits = serializers.IntegerField()
    saved_usd = UsdField(source="saved_nanos")
    bytes = serializers.IntegerField()
    by_origin = KeptReply(many=True)


class PurgedReply(serializers.Serializer[Purged]):
    texts = serializers.IntegerField()
    templates = serializers.IntegerField()
    hits = serializers.IntegerField(help_text="How often they had answered.")
    saved_usd = UsdField(source="saved_nanos", help_text="What those answers would have cost.")


class Cache(WorkspaceAPIView):
    @property
    def required_scope(self) -> str:
        return Scope.READ if self.request.method in SAFE_METHODS else Scope.ADMIN

    @operation("get_cache", replies={200: CacheReply})
    def get(self, _request: Request) -> Response:
        """How many texts are kept, by the layer that made them, how often they answered and what that saved."""
        return Response(CacheReply(cache.read_cache(self.workspace)).data)

    @operation("purge_cache", query=PurgeQuery, replies={200: PurgedReply}, errors=(404,))
    def delete(self, _request: Request) -> Response:
        """Take texts out of the cache, so that asking for them again writes them anew. What products show stays."""
        query: dict[str, Any] = self.query(PurgeQuery)
        product = self.find(Product.objects.all(), query["product"]) if "product" in query else None
        choice = cache.choice_of(
            self.workspace,
            products=[product] if product else None,
            model_id=query.get("model", ""),
            older_than_days=query.get("older_than_days"),
        )
        by = f"API key {self.key.prefix}" if self.key else str(self.person)
        return Response(PurgedReply(cache.purge(choice, by=by)).data)
