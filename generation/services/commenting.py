"""What people and programs say about a text."""

from __future__ import annotations

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from accounts.models import ApiKey, User, Workspace
from contentopt.errors import DomainError, NotAllowed
from generation.models import Comment, Product, Text
from generation.services.mentions import tell_mentioned, untell
from generation.services.texts import clean

MAX_COMMENT = 2_000


@transaction.atomic
def add_comment(*, text: Text, words: str, by: User | None, api_key: ApiKey | None = None) -> Comment:
    """Whoever is mentioned in it (“@bob”) gets a mail, unless they want none."""
    comment = Comment.objects.create(
        workspace_id=text.workspace_id, text=text, words=_checked(words), created_by=by, api_key=api_key
    )
    tell_mentioned(comment)
    return comment


@transaction.atomic
def change_comment(comment: Comment, *, words: str, by: User | None, api_key: ApiKey | None = None) -> Comment:
    """One's own. Who is mentioned for the first time gets a mail."""
    if not comment.is_by(user=by, api_key=api_key):
        raise NotAllowed("Only whoever wrote a comment can change it. You can answer it with another.")
    rows = Comment.objects.in_workspace(comment.workspace_id).filter(pk=comment.pk)
    rows.update(words=_checked(words), edited_at=Now())
    comment.refresh_from_db()
    tell_mentioned(comment)
    return comment


@transaction.atomic
def delete_comment(comment: Comment, *, by: User | None, api_key: ApiKey | None = None, may_any: bool = False) -> None:
    """One's own, or, for who may see to others' (`may_any`), anybody's."""
    if not (may_any or comment.is_by(user=by, api_key=api_key)):
        raise NotAllowed("Only whoever wrote a comment, or an admin, can delete it.")
    untell(comment)
    Comment.objects.in_workspace(comment.workspace_id).filter(pk=comment.pk).delete()


def comments_on(workspace: Workspace, about: Text | Product) -> QuerySet[Comment]:
    """On a text; on all versions of a product's, oldest first."""
    comments = Comment.objects.in_workspace(workspace).select_related("created_by", "api_key", "text")
    return comments.filter(text__product=about) if isinstance(about, Product) else comments.filter(text=about)


def _checked(words: str) -> str:
    words = clean(words)
    if not words:
        raise DomainError("Say something: the comment is empty.", code="empty")
    if len(words) > MAX_COMMENT:
        raise DomainError(f"A comment has at most {MAX_COMMENT:,} characters; this one has {len(words):,}.")
    return words
