from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from generation.api.base import NewestFirst, PageQuery, WorkspaceAPIView
from generation.api.conditional import version_of
from generation.api.document import operation
from generation.api.strict import TextField
from generation.api.texts import TextReply
from generation.models import Product, Text


class ProductReply(serializers.Serializer[Product]):
    id = serializers.UUIDField()
    catalogue = serializers.UUIDField(source="catalogue_id")
    row_number = serializers.IntegerField()
    key = serializers.CharField(help_text="Handle, SKU or id, as in the file.")
    title = serializers.CharField()
    fact_count = serializers.IntegerField()
    has_text = serializers.SerializerMethodField()

    def get_has_text(self, product: Product) -> bool:
        return product.text_id is not None


class ProductDetailReply(ProductReply):
    facts = serializers.DictField(source="product", help_text="What is known, in the shape `descriptions` takes.")
    text = TextReply(allow_null=True)


class ProductsQuery(PageQuery):
    q = TextField(required=False, max_length=200, allow_blank=True, help_text="Words of the title or key.")
    catalogue = serializers.UUIDField(required=False)


class InFileOrder(NewestFirst):
    ordering = ("created_at", "row_number")


class Products(WorkspaceAPIView):
    pagination_class = InFileOrder

    @operation("list_products", query=ProductsQuery, replies={200: ProductReply(many=True)})
    def get(self, _request: Request) -> Response:
        """The products of the workspace, in file order."""
        query = self.query(ProductsQuery)
        products = Product.objects.in_workspace(self.workspace).search(query.get("q", ""))
        if "catalogue" in query:
            products = products.filter(catalogue_id=query["catalogue"])
        return self.page(products, ProductReply)


class OneProduct(WorkspaceAPIView):
    def version(self, pk: Any = None) -> str | None:
        products = Product.objects.in_workspace(self.workspace).filter(pk=pk)
        texts = Text.objects.in_workspace(self.workspace).filter(pk__in=products.values("text_id"))
        product = version_of(products)
        return product and f"{product} {version_of(texts)}"

    @operation("get_product", replies={200: ProductDetailReply}, errors=[404])
    def get(self, _request: Request, pk: str) -> Response:
        """One product with its facts and its present text."""
        product: Any = self.find(Product.objects.select_related("text"), pk)
        return Response(ProductDetailReply(product).data)
