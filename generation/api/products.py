from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Membership
from contentopt.errors import DomainError
from generation.api.base import NewestFirst, PageQuery, WorkspaceAPIView
from generation.api.conditional import version_of
from generation.api.document import operation
from generation.api.strict import StrictSerializer, TextField
from generation.api.texts import TextReply
from generation.models import Product, Text
from generation.services.reviewing import assign_product


class ProductReply(serializers.Serializer[Product]):
    id = serializers.UUIDField()
    catalogue = serializers.UUIDField(source="catalogue_id")
    row_number = serializers.IntegerField()
    key = serializers.CharField(help_text="Handle, SKU or id, as in the file.")
    title = serializers.CharField()
    fact_count = serializers.IntegerField()
    has_text = serializers.SerializerMethodField()
    state = serializers.ChoiceField(
        Text.State.choices,
        source="text.state",
        default=None,
        allow_null=True,
        help_text="Of its text; null without one.",
    )
    assignee = serializers.EmailField(
        source="assignee.user.email", default=None, allow_null=True, help_text="The member who sees to its text."
    )

    def get_has_text(self, product: Product) -> bool:
        return product.text_id is not None


class ProductDetailReply(ProductReply):
    facts = serializers.DictField(source="product", help_text="What is known, in the shape `descriptions` takes.")
    text = TextReply(allow_null=True)


class ProductsQuery(PageQuery):
    q = TextField(required=False, max_length=200, allow_blank=True, help_text="Words of the title or key.")
    catalogue = serializers.UUIDField(required=False)
    state = serializers.ChoiceField(Text.State.choices, required=False, help_text="Of its present text.")
    assignee = serializers.EmailField(required=False, help_text="Assigned to this member.")


class AssigneeBody(StrictSerializer):
    assignee = serializers.EmailField(
        required=False, allow_null=True, help_text="The member's address; null for nobody. Left out, it stays."
    )


class InFileOrder(NewestFirst):
    ordering = ("created_at", "row_number")


class Products(WorkspaceAPIView):
    pagination_class = InFileOrder

    @operation("list_products", query=ProductsQuery, replies={200: ProductReply(many=True)})
    def get(self, _request: Request) -> Response:
        """The products of the workspace, in file order."""
        query = self.query(ProductsQuery)
        products: Any = Product.objects.select_related("text", "assignee__user").in_workspace(self.workspace)
        products = products.search(query.get("q", ""))
        if "catalogue" in query:
            products = products.filter(catalogue_id=query["catalogue"])
        if "state" in query:
            products = products.filter(text__state=query["state"])
        if "assignee" in query:
            products = products.filter(assignee__user__email=query["assignee"].lower())
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
        product: Any = self.find(Product.objects.select_related("text", "assignee__user"), pk)
        return Response(ProductDetailReply(product).data)

    @operation("assign_product", body=AssigneeBody, replies={200: ProductDetailReply}, errors=[404])
    def patch(self, _request: Request, pk: str) -> Response:
        """Give the product's text to a member of the workspace to see to, or to nobody."""
        product: Any = self.find(Product.objects.select_related("text", "assignee__user"), pk)
        change = self.body(AssigneeBody)
        if "assignee" in change:
            assign_product(product, to=self.member(change["assignee"]), by=self.person)
        return Response(ProductDetailReply(product).data)

    def member(self, email: str | None) -> Membership | None:
        if email is None:
            return None
        members = Membership.objects.in_workspace(self.workspace).select_related("user")
        member = members.filter(user__email=email.lower()).first()
        if member is None:
            raise DomainError("No member of this workspace has this address.", code="no_such_member", status=422)
        return member
