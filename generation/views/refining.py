"""A conversation about a product's text: a wish, a proposal or an answer, and a step back."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.views.decorators.http import require_POST

from accounts.budgets import Payer
from accounts.middleware import WorkspaceRequest
from accounts.models import Scope
from accounts.permissions import require_scope
from accounts.throttling import refuse, take_for_member
from contentopt.errors import DomainError
from generation.engine.storing import undecided
from generation.forms import WishForm
from generation.services import refining
from generation.views.access import find_product, find_refinement
from generation.views.products import shown_again


@require_POST
@require_scope(Scope.WRITE)
def product_refine(request: WorkspaceRequest, slug: str, pk: str) -> HttpResponse:
    found = find_product(request, pk)
    text = undecided(found).first() or found.text
    if text is None:
        raise Http404
    form = WishForm(request.POST)
    if not form.is_valid():
        raise DomainError(" ".join(map(str, form.errors["instruction"])))
    allowance = take_for_member(request.membership)
    if not allowance.allowed:
        raise refuse(allowance)
    payer = Payer(found.workspace_id, "page", user_id=request.user.pk)
    refined = refining.refine(text=text, wish=form.cleaned_data["instruction"], payer=payer, by=request.user)
    return shown_again(request, slug, pk, is_news=refined.text_id is not None)  # an answer stands beside the wish


@require_POST
@require_scope(Scope.WRITE)
def refinement_undo(request: WorkspaceRequest, slug: str, pk: str) -> HttpResponse:
    refinement = find_refinement(request, pk)
    refining.take_back(refinement, by=request.user)
    return shown_again(request, slug, str(refinement.product_id), is_news=True)
