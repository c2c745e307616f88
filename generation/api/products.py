from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from generation.api.base import OldestFirst, WorkspaceAPIView, page
from generation.api.texts import TextReply
from generation.models import Product


class ProductReply(serializers.Serializer[Product]):
    id = serializers.UUIDField()
    catalogue = serializers.UUIDField(source="catalogue_id")
    row_number = serializers.IntegerField()
    key = serializers.CharField()
    title = serializers.CharField()
    fact_count = serializers.IntegerField()
    has_text = serializers.SerializerMethodField()

    def get_has_text(self, product: Product) -> bool:
        return product.text_id is not None


class ProductDetailReply(ProductReply):
    facts = serializers.JSONField(source="product")
    text = TextReply(allow_null=True)


class Products(WorkspaceAPIView):
    @extend_schema(
        responses=ProductReply(many=True), parameters=[OpenApiParameter("q", str), OpenApiParameter("catalogue", str)]
    )
    def get(self, request: Request) -> Response:
        """The products of the workspace in file order; `q` searches titles and keys."""
        products = Product.objects.in_workspace(self.workspace).search(request.query_params.get("q", ""))
        if catalogue := request.query_params.get("catalogue"):
            products = products.filter(catalogue_id=catalogue)
        return page(self, OldestFirst(), products, ProductReply)


class OneProduct(WorkspaceAPIView):
    @extend_schema(responses=ProductDetailReply)
    def get(self, _request: Request, pk: str) -> Response:
        """One product with its facts and its present text."""
        product: Any = self.find(Product.objects.select_related("text"), pk)
        return Response(ProductDetailReply(product).data)
