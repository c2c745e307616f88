from __future__ import annotations

import difflib
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Exists, OuterRef
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from accounts.middleware import WorkspaceRequest
from accounts.models import Scope
from accounts.permissions import require_scope
from accounts.throttling import refuse, take_for_workspace
from contentopt.errors import DomainError
from generation.facts import FIELDS, LENGTHS, TONES, Facts
from generation.forms import EditForm, RewriteForm
from generation.models import Catalogue, Product, Text
from generation.services import texts
from generation.services.catalogues import thin_products
from generation.views.access import find_product
from generation.views.partials import render_page

PRODUCTS_PER_PAGE = 50

FILTERS = {
    "": "All",
    "unwritten": "No text",
    "written": "Written",
    "edited": "Edited",
    "complaints": "Unsupported",
    "empty": "Empty in file",
    "shared": "Duplicates",
    "thin": "Few facts",
}


@require_scope(Scope.READ)
def products(request: WorkspaceRequest, slug: str) -> HttpResponse:
    found: Any = Product.objects.in_workspace(request.workspace).select_related("text")
    catalogues = Catalogue.objects.in_workspace(request.workspace).filter(status=Catalogue.Status.READY)
    chosen = catalogues.filter(pk=request.GET["catalogue"]).first() if _is_given(request, "catalogue") else None
    if chosen:
        found = found.filter(catalogue=chosen)
    shown = request.GET.get("show", "")
    if shown in FILTERS:
        found = _filtered(request, found, shown)
    query = request.GET.get("q", "").replace("\x00", "")[:200]
    page = Paginator(found.search(query).order_by("-created_at__date", "catalogue", "row_number"), PRODUCTS_PER_PAGE)
    context = {
        "page": page.get_page(request.GET.get("page")),
        "catalogues": catalogues,
        "catalogue": chosen,
        "filters": FILTERS,
        "show": shown,
        "query": query,
    }
    return render_page(request, "products/list.html", context, part="rows")


def _is_given(request: WorkspaceRequest, name: str) -> bool:
    value = request.GET.get(name, "")
    return len(value) == len("00000000-0000-0000-0000-000000000000")


def _filtered(request: WorkspaceRequest, found: Any, shown: str) -> Any:
    if shown == "unwritten":
        return found.filter(text=None)
    if shown == "written":
        return found.written()
    if shown == "edited":
        return found.filter(text__source=Text.Source.EDITED)
    if shown == "complaints":
        return found.written().exclude(text__complaints=[])
    if shown == "empty":
        return found.filter(original_hash="")
    if shown == "shared":
        return found.exclude(original_hash="").filter(Exists(_twins(request)))
    if shown == "thin":
        return found.filter(thin_products)
    return found


def _twins(request: WorkspaceRequest) -> Any:
    """Products of the same file with the same description."""
    same = Product.objects.in_workspace(request.workspace).filter(
        catalogue=OuterRef("catalogue"), original_hash=OuterRef("original_hash")
    )
    return same.exclude(pk=OuterRef("pk"))


@require_scope(Scope.READ)
def product(request: WorkspaceRequest, slug: str, pk: str) -> HttpResponse:
    return _product_page(request, find_product(request, pk))


def _product_page(request: WorkspaceRequest, found: Product) -> HttpResponse:
    text = found.text
    around = Product.objects.in_workspace(request.workspace).filter(catalogue_id=found.catalogue_id)
    context = {
        "product": found,
        "text": text,
        "facts": facts_by_label(texts.product_facts(found)),
        "sentences": texts.sentences_with_facts(text.description, text.evidence) if text else [],
        "versions": found.texts.select_related("created_by").order_by("-version")[:50],
        "fields": texts.writable_fields(found.catalogue.mapping),
        "is_editing": "edit" in request.GET,
        "variants": found.variants.all()[:100],
        "tones": TONES,
        **_neighbouring_lengths(text.brief.get("length") if text else None),
        "next_product": around.filter(row_number__gt=found.row_number).order_by("row_number").first(),
        "previous_product": around.filter(row_number__lt=found.row_number).order_by("-row_number").first(),
    }
    return render_page(request, "products/detail.html", context, part="text")


def facts_by_label(facts: Facts) -> dict[str, dict[str, Any]]:
    """One row a label, as the shop wrote it, with all its values: {"color": {"name": "Colour", "values": […]}}"""
    rows: dict[str, dict[str, Any]] = {}
    for fact in facts.facts:
        row = rows.setdefault(fact.label, {"name": fact.display_label, "values": []})
        if fact.value not in row["values"]:
            row["values"].append(fact.value)
    return rows


def _neighbouring_lengths(length: str | None) -> dict[str, str | None]:
    """What "shorter" and "longer" would be; None at the ends."""
    at = LENGTHS.index(length) if length in LENGTHS else LENGTHS.index("medium")
    return {
        "shorter": LENGTHS[at - 1] if at > 0 else None,
        "longer": LENGTHS[at + 1] if at + 1 < len(LENGTHS) else None,
    }


@require_POST
@require_scope(Scope.WRITE)
def product_rewrite(request: WorkspaceRequest, slug: str, pk: str) -> HttpResponse:
    found = find_product(request, pk)
    form = RewriteForm(request.POST)
    if not form.is_valid():
        raise Http404
    allowance = take_for_workspace(request.workspace)
    if not allowance.allowed:
        raise refuse(allowance, f"The {request.workspace.plan} plan")
    texts.rewrite(product=found, changes=form.changes(), created_by=request.user)
    return _shown_again(request, slug, pk)


@require_POST
@require_scope(Scope.WRITE)
def product_edit(request: WorkspaceRequest, slug: str, pk: str) -> HttpResponse:
    """Autosave: replies with what to show beside the editor. "Done" replies with the text as it now reads."""
    found = find_product(request, pk)
    form = EditForm(request.POST)
    if not form.is_valid():
        return _not_saved(request, form)
    text = texts.edit_text(product=found, fields=form.cleaned_data, editor=request.user)
    if "done" in request.GET or not request.htmx:
        return _shown_again(request, slug, pk)
    return render(request, "products/detail.html#saved", {"text": text})


def _not_saved(request: WorkspaceRequest, form: EditForm) -> HttpResponse:
    reasons = " ".join(str(reason) for reasons in form.errors.values() for reason in reasons)
    if not request.htmx:
        raise DomainError(reasons, code="invalid")
    return render(request, "products/detail.html#saved", {"reasons": reasons}, status=422)


@require_POST
@require_scope(Scope.WRITE)
def product_restore(request: WorkspaceRequest, slug: str, pk: str, version: int) -> HttpResponse:
    found = find_product(request, pk)
    if not found.texts.filter(version=version).exists():
        raise Http404
    texts.restore_text(product=found, version=version, editor=request.user)
    return _shown_again(request, slug, pk)


def _shown_again(request: WorkspaceRequest, slug: str, pk: str) -> HttpResponse:
    if request.htmx:
        return _product_page(request, find_product(request, pk))
    return redirect("product", slug, pk)


@require_scope(Scope.READ)
def product_diff(request: WorkspaceRequest, slug: str, pk: str, version: int) -> HttpResponse:
    """What restoring a version would change, word by word."""
    found = find_product(request, pk)
    earlier = found.texts.filter(version=version).first()
    if earlier is None or found.text is None:
        raise Http404
    fields = [
        {"name": name, "words": diff_words(getattr(found.text, name), getattr(earlier, name))}
        for name in FIELDS
        if getattr(found.text, name) or getattr(earlier, name)
    ]
    context = {"product": found, "earlier": earlier, "fields": fields}
    return render_page(request, "products/diff.html", context, part="dialog")


def diff_words(before: str, after: str) -> list[dict[str, str]]:
    """[{"kind": "same" | "removed" | "added", "text": ...}]"""
    old, new = before.split(" "), after.split(" ")
    pieces: list[dict[str, str]] = []
    for kind, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            pieces.append({"kind": "same", "text": " ".join(old[a:b])})
            continue
        if b > a:
            pieces.append({"kind": "removed", "text": " ".join(old[a:b])})
        if d > c:
            pieces.append({"kind": "added", "text": " ".join(new[c:d])})
    return pieces
