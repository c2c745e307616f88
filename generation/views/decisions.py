"""Versions of a text, and what a person decides about them."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from accounts.middleware import WorkspaceRequest
from accounts.models import Scope
from accounts.permissions import require_scope
from generation.forms import RejectForm
from generation.models import Text
from generation.services import decisions
from generation.views.access import find_product, find_text
from generation.views.differences import compared
from generation.views.partials import render_page
from generation.views.products import shown_again


@require_scope(Scope.READ)
def product_diff(request: WorkspaceRequest, slug: str, pk: str, version: int) -> HttpResponse:
    """What restoring a version would change, word by word."""
    found = find_product(request, pk)
    earlier = found.texts.filter(version=version).first()
    if earlier is None or found.text is None:
        raise Http404
    context = {"product": found, "earlier": earlier, "fields": compared(found.text, earlier)}
    return render_page(request, "products/diff.html", context, part="dialog")


@require_POST
@require_scope(Scope.WRITE)
def product_restore(request: WorkspaceRequest, slug: str, pk: str, version: int) -> HttpResponse:
    found = find_product(request, pk)
    if not found.texts.filter(version=version).exists():
        raise Http404
    decisions.restore_text(product=found, version=version, editor=request.user)
    return shown_again(request, slug, pk, is_news=True)


@require_POST
@require_scope(Scope.WRITE)
def text_keep(request: WorkspaceRequest, slug: str, pk: str) -> HttpResponse:
    return _after(request, slug, decisions.keep_text(find_text(request, pk)))


@require_POST
@require_scope(Scope.WRITE)
def text_reject(request: WorkspaceRequest, slug: str, pk: str) -> HttpResponse:
    form = RejectForm(request.POST)
    reason = form.cleaned_data["reason"] if form.is_valid() else ""
    text = decisions.reject_text(find_text(request, pk), by=request.user, reason=reason)
    if not text.is_proposal:
        messages.success(request, "That text is not used again. It stays in the history, from where it can come back.")
    return _after(request, slug, text)


def _after(request: WorkspaceRequest, slug: str, text: Text) -> HttpResponse:
    if text.product_id:
        return shown_again(request, slug, str(text.product_id), is_news=True)
    return redirect("text", slug, text.pk)
