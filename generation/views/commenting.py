"""Comments beside a text."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from accounts.middleware import WorkspaceRequest
from accounts.models import Scope
from accounts.permissions import ROLE_SCOPES, require_scope
from contentopt.errors import DomainError, NotAllowed
from generation.forms import CommentForm
from generation.models import Comment, Product, Text
from generation.services import commenting
from generation.services.mentions import handles, members_of, path_of
from generation.views.access import find_comment, find_text


def comments_context(request: WorkspaceRequest, about: Product | Text) -> dict[str, Any]:
    """What `partials/comments.html` shows: the comments on a text, or on all versions of a product's."""
    members = members_of(request.workspace)
    scopes = ROLE_SCOPES[request.membership.role]
    return {
        "commented": about.text if isinstance(about, Product) else about,
        "comments": [
            (comment, comment.is_by(user=request.user, api_key=None))
            for comment in commenting.comments_on(request.workspace, about)
        ],
        "members": members,
        "handles": list(handles(members)),
        "may_comment": Scope.WRITE in scopes,
        "may_delete_any": Scope.ADMIN in scopes,
    }


@require_POST
@require_scope(Scope.WRITE)
def text_comment(request: WorkspaceRequest, slug: str, pk: str) -> HttpResponse:
    text = find_text(request, pk)
    comment = commenting.add_comment(text=text, words=_words(request), by=request.user)
    return _shown_again(request, comment)


@require_scope(Scope.WRITE)
def comment_edit(request: WorkspaceRequest, slug: str, pk: str) -> HttpResponse:
    """The form in place of the comment, and what it sends."""
    comment = find_comment(request, pk)
    if request.method == "POST":
        return _shown_again(request, commenting.change_comment(comment, words=_words(request), by=request.user))
    if not comment.is_by(user=request.user, api_key=None):
        raise NotAllowed("Only whoever wrote a comment can change it. You can answer it with another.")
    if request.htmx:
        return _list(request, comment.text, changed=comment)
    return render(request, "products/comment.html", {"comment": comment, "back": path_of(comment)})


@require_POST
@require_scope(Scope.WRITE)
def comment_delete(request: WorkspaceRequest, slug: str, pk: str) -> HttpResponse:
    comment = find_comment(request, pk)
    may_any = Scope.ADMIN in ROLE_SCOPES[request.membership.role]
    commenting.delete_comment(comment, by=request.user, may_any=may_any)
    return _shown_again(request, comment)


def _words(request: WorkspaceRequest) -> str:
    form = CommentForm(request.POST)
    if not form.is_valid():
        raise DomainError(" ".join(map(str, form.errors["words"])))
    return str(form.cleaned_data["words"])


def _shown_again(request: WorkspaceRequest, comment: Comment) -> HttpResponse:
    return _list(request, comment.text) if request.htmx else redirect(path_of(comment))


def _list(request: WorkspaceRequest, text: Text, changed: Comment | None = None) -> HttpResponse:
    """All of the page the text is on, with the form for the present one."""
    context = comments_context(request, text.product or text)
    return render(request, "partials/comments.html", {**context, "changed": changed})
