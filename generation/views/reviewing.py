"""A text's way out: to review, approved, or back; one at a time or several."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.middleware import WorkspaceRequest
from accounts.models import Membership, Scope
from accounts.permissions import ROLE_SCOPES, require_scope
from contentopt.errors import DomainError
from generation.forms import AssigneeForm
from generation.models import Product, Text
from generation.services import reviewing
from generation.services.mentions import members_of
from generation.services.reviewing import Outcome
from generation.views.access import find_catalogue, find_product, find_text
from generation.views.partials import go_to
from generation.views.products import shown_again


@require_POST
@require_scope(Scope.WRITE)
def text_submit(request: WorkspaceRequest, slug: str, pk: str) -> HttpResponse:
    text = reviewing.submit_text(find_text(request, pk), by=request.user)
    return shown_again(request, slug, str(text.product_id))


@require_POST
@require_scope(Scope.APPROVE)
def text_approve(request: WorkspaceRequest, slug: str, pk: str) -> HttpResponse:
    """`words` says which ones were on the page. With `next`, on to the next product of the file to be approved."""
    text = reviewing.approve_text(find_text(request, pk), by=request.user, words=request.POST.get("words", ""))
    if "next" in request.POST and text.product:
        return _next(request, slug, text.product)
    return shown_again(request, slug, str(text.product_id))


def _next(request: WorkspaceRequest, slug: str, product: Product) -> HttpResponse:
    waiting = reviewing.next_to_approve(product)
    if waiting is None:
        messages.success(request, "Approved. That was the last text of this file that waited for it.")
    return go_to(request, reverse("product", args=(slug, (waiting or product).pk)))


@require_POST
@require_scope(Scope.WRITE)
def text_reopen(request: WorkspaceRequest, slug: str, pk: str) -> HttpResponse:
    text = reviewing.reopen_text(find_text(request, pk))
    return shown_again(request, slug, str(text.product_id))


@require_POST
@require_scope(Scope.WRITE)
def product_assign(request: WorkspaceRequest, slug: str, pk: str) -> HttpResponse:
    reviewing.assign_product(find_product(request, pk), to=_chosen_member(request), by=request.user)
    return shown_again(request, slug, pk)


def _chosen_member(request: WorkspaceRequest) -> Membership | None:
    form = AssigneeForm(request.POST, workspace=request.workspace)
    if not form.is_valid():
        raise DomainError(" ".join(map(str, form.errors["member"])))
    member: Membership | None = form.cleaned_data["member"]
    return member


@require_POST
@require_scope(Scope.ADMIN)
def export_rule(request: WorkspaceRequest, slug: str, pk: str) -> HttpResponse:
    """The workspace's, set where it shows: beside the download of one of its files."""
    catalogue = find_catalogue(request, pk)
    only_approved = "only_approved" in request.POST
    reviewing.set_export_rule(request.workspace, only_approved=only_approved)
    said = "Only approved texts go into downloads now." if only_approved else "All texts go into downloads now."
    messages.success(request, said)
    return redirect("export_review", slug, catalogue.pk)


# --- Several at once --------------------------------------------------------------------------------------------------


@require_scope(Scope.WRITE)
def products_review(request: WorkspaceRequest, slug: str) -> HttpResponse:
    """The chosen products' texts in full, so that whoever approves them has them before their eyes."""
    return _page(request, _ids(request.GET.getlist("product"))[: reviewing.MOST_AT_ONCE])


@require_POST
@require_scope(Scope.WRITE)
def products_submit(request: WorkspaceRequest, slug: str) -> HttpResponse:
    return _each(request, partial(reviewing.submit_product, by=request.user))


@require_POST
@require_scope(Scope.APPROVE)
def products_approve(request: WorkspaceRequest, slug: str) -> HttpResponse:
    shown = dict(row.split(":", 1) for row in request.POST.getlist("read") if ":" in row)
    read = {pk: shown[str(pk)] for pk in _ids(shown)}
    return _each(request, partial(reviewing.approve_product, by=request.user, read=read))


@require_POST
@require_scope(Scope.WRITE)
def products_reopen(request: WorkspaceRequest, slug: str) -> HttpResponse:
    return _each(request, reviewing.reopen_product)


@require_POST
@require_scope(Scope.WRITE)
def products_assign(request: WorkspaceRequest, slug: str) -> HttpResponse:
    member = _chosen_member(request)

    def assign(product: Product) -> str:
        reviewing.assign_product(product, to=member, by=request.user)
        return f"Assigned to {member.user}" if member else "Assigned to nobody"

    return _each(request, assign)


def _each(request: WorkspaceRequest, work: Callable[[Product], str]) -> HttpResponse:
    chosen = _ids(request.POST.getlist("product"))
    if not chosen:
        raise DomainError("Nothing was selected, so nothing was changed. Tick the products first.")
    outcomes = reviewing.with_each(request.workspace, chosen, work)
    return _page(request, _ids(request.POST.getlist("listed")) or chosen, outcomes)


def _page(request: WorkspaceRequest, ids: list[UUID], outcomes: list[Outcome] | None = None) -> HttpResponse:
    by_id = {outcome.id: outcome for outcome in outcomes or []}
    found = Product.objects.in_workspace(request.workspace).filter(pk__in=ids[: reviewing.MOST_AT_ONCE])
    products = found.select_related("text", "assignee__user").order_by("-created_at__date", "catalogue", "row_number")
    context = {
        "rows": [(product, by_id.get(product.pk)) for product in products],
        "unknown": [outcome for outcome in by_id.values() if outcome.product is None],
        "done": [outcome for outcome in by_id.values() if outcome.is_done],
        "outcomes": by_id,
        "members": members_of(request.workspace),
        "scopes": ROLE_SCOPES[request.membership.role],
        "states": Text.State,
    }
    return render(request, "products/review.html", context)


def _ids(given: list[str] | dict[str, str]) -> list[UUID]:
    return [UUID(value) for value in given if _is_uuid(value)]


def _is_uuid(value: str) -> bool:
    try:
        return str(UUID(value)) == value
    except ValueError:
        return False
