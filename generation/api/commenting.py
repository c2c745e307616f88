from __future__ import annotations

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Scope
from generation.api.base import NewestFirst, PageQuery, WorkspaceAPIView
from generation.api.document import operation
from generation.api.strict import StrictSerializer, TextField
from generation.models import Comment, Product, Text
from generation.services.commenting import MAX_COMMENT, add_comment, change_comment, comments_on, delete_comment


class CommentBody(StrictSerializer):
    comment = TextField(
        max_length=MAX_COMMENT,
        help_text="Plain text. `@name` mails the member of that name (what stands before the @ of their address, or "
        "all of it), unless they want no such mail.",
    )


class CommentChange(CommentBody):
    comment = TextField(max_length=MAX_COMMENT, required=False, help_text="Left out, it stays.")


class CommentReply(serializers.Serializer[Comment]):
    id = serializers.UUIDField()
    text = serializers.UUIDField(source="text_id")
    version = serializers.IntegerField(source="text.version", help_text="Of the text it is about.")
    comment = serializers.CharField(source="words")
    author = serializers.EmailField(
        source="created_by.email", default=None, allow_null=True, help_text="Null for somebody who is gone."
    )
    api_key = serializers.UUIDField(source="api_key_id", allow_null=True, help_text="Of a program's comment.")
    created_at = serializers.DateTimeField()
    edited_at = serializers.DateTimeField(allow_null=True)


class OldestFirst(NewestFirst):
    ordering = ("created_at", "id")


class CommentList(WorkspaceAPIView):
    pagination_class = OldestFirst

    def comments(self, about: Text | Product) -> Response:
        self.query(PageQuery)
        return self.page(comments_on(self.workspace, about), CommentReply)


class ProductComments(CommentList):
    @operation("list_product_comments", query=PageQuery, replies={200: CommentReply(many=True)}, errors=[404])
    def get(self, _request: Request, pk: str) -> Response:
        """What was said about a product's texts, all versions, oldest first."""
        return self.comments(self.find(Product.objects.all(), pk))


class TextComments(CommentList):
    is_kept_with_its_work = True

    @operation("list_text_comments", query=PageQuery, replies={200: CommentReply(many=True)}, errors=[404])
    def get(self, _request: Request, pk: str) -> Response:
        """What was said about this version of a text, oldest first."""
        return self.comments(self.find(Text.objects.all(), pk))

    @operation("add_comment", body=CommentBody, replies={201: CommentReply}, errors=[404])
    def post(self, _request: Request, pk: str) -> Response:
        """Say something about a text."""
        text: Text = self.find(Text.objects.select_related("product"), pk)
        comment = add_comment(text=text, words=self.body(CommentBody)["comment"], by=self.person, api_key=self.key)
        return Response(CommentReply(comment).data, status=201)


class OneComment(WorkspaceAPIView):
    def comment(self, pk: str) -> Comment:
        found: Comment = self.find(Comment.objects.select_related("text__product", "workspace", "created_by"), pk)
        return found

    @operation("get_comment", replies={200: CommentReply}, errors=[404])
    def get(self, _request: Request, pk: str) -> Response:
        """One comment."""
        return Response(CommentReply(self.comment(pk)).data)

    @operation("change_comment", body=CommentChange, replies={200: CommentReply}, errors=[404])
    def patch(self, _request: Request, pk: str) -> Response:
        """Change a comment that was made with this key."""
        comment, change = self.comment(pk), self.body(CommentChange)
        words = change.get("comment", comment.words)
        changed = change_comment(comment, words=words, by=None if self.key else self.person, api_key=self.key)
        return Response(CommentReply(changed).data)

    @operation("delete_comment", replies={204: None}, errors=[404])
    def delete(self, _request: Request, pk: str) -> Response:
        """Delete a comment that was made with this key, or with the scope `admin` any."""
        may_any = Scope.ADMIN in self.scopes
        delete_comment(self.comment(pk), by=None if self.key else self.person, api_key=self.key, may_any=may_any)
        return Response(status=204)
