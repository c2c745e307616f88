from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.db.models import Exists, OuterRef
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from accounts.middleware import WorkspaceRequest
from accounts.models import Scope
from accounts.permissions import ROLE_SCOPES, require_scope
from accounts.throttling import refuse, take_for_member
from contentopt.errors import DomainError
from generation.engine.routes import read_offer
from generation.engine.storing import product_facts, undecided
from generation.facts import LANGUAGES, TONES, Facts
from generation.forms import EditForm, RewriteForm, tier_choices
from generation.models import Catalogue, Product, Text
from generation.services import streams, texts
from generation.services.catalogues import thin_products
from generation.services.decisions import last_good
from generation.services.explaining import explain
from generation.services.mentions import members_of
from generation.services.refining import conversation_about
from generation.services.suggesting import suggestions
from generation.views.access import find_product
from generation.views.commenting import comments_context
from generation.views.differences import compared
from generation.views.partials import render_page

PRODUCTS_PER_PAGE = 50
MINE, NOBODY, UNAPPROVED = "me", "nobody", "unapproved"

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
STATES = {**dict(Text.State.choices), UNAPPROVED: "Not approved"}


@require_scope(Scope.READ)
def products(request: WorkspaceRequest, slug: str) -> HttpResponse:
    found: Any = Product.objects.in_workspace(request.workspace).select_related("text", "assignee__user")
    catalogues = Catalogue.objects.in_workspace(request.workspace).filter(status=Catalogue.Status.READY)
    chosen = catalogues.filter(pk=request.GET["catalogue"]).first() if _is_given(request, "catalogue") else None
    if chosen:
        found = found.filter(catalogue=chosen)
    shown = request.GET.get("show", "")
    if shown in FILTERS:
        found = _filtered(request, found, shown)
    found = _reviewed(request, found)
    query = request.GET.get("q", "").replace("\x00", "")[:200]
    page = Paginator(found.search(query).order_by("-created_at__date", "catalogue", "row_number"), PRODUCTS_PER_PAGE)
    context = {
        "page": page.get_page(request.GET.get("page")),
        "catalogues": catalogues,
        "catalogue": chosen,
        "filters": FILTERS,
        "show": shown,
        "query": query,
        "states": STATES,
        "state": request.GET.get("state", ""),
        "members": members_of(request.workspace),
        "assignee": request.GET.get("assignee", ""),
    }
    return render_page(request, "products/list.html", context, part="rows")


def _is_given(request: WorkspaceRequest, name: str) -> bool:
    value = request.GET.get(name, "")
    return len(value) == len("00000000-0000-0000-0000-000000000000")


def _reviewed(request: WorkspaceRequest, found: Any) -> Any:
    state, assignee = (request.GET.get(name, "").replace("\x00", "") for name in ("state", "assignee"))
    if state == UNAPPROVED:
        found = found.written().exclude(text__state=Text.State.APPROVED)
    elif state in STATES:
        found = found.filter(text__state=state)
    if assignee == MINE:
        return found.filter(assignee=request.membership)
    if assignee == NOBODY:
        return found.filter(assignee=None)
    return found.filter(assignee__user__email=assignee) if assignee else found


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


def _product_page(request: WorkspaceRequest, found: Product, *, is_news: bool = False) -> HttpResponse:
    """`is_news`: what was just asked for stands at its top, so that is where one is taken."""
    text = found.text
    facts = product_facts(found)
    proposal = undecided(found).select_related("refinement").first()
    may_write = Scope.WRITE in ROLE_SCOPES[request.membership.role]
    asked = request.GET.get("edit") if may_write else None
    around = Product.objects.in_workspace(request.workspace).filter(catalogue_id=found.catalogue_id)
    context = {
        "product": found,
        "text": text,
        "facts": facts_by_label(facts),
        "sentences": texts.sentences_with_facts(text.description, text.evidence) if text else [],
        "versions": found.texts.select_related("created_by", "rejected_by").order_by("-version")[:50],
        "is_news": is_news,
        "fields": texts.writable_fields(found.catalogue.mapping),
        "edited": proposal if proposal and asked == "proposal" else text,
        "is_editing": asked is not None,
        "proposal": proposal,
        "stream": streams.stream_of(found),
        "failure": streams.last_failure(found),
        "compared": compared(text, proposal) if text and proposal else [],
        "suggestions": suggestions(facts, proposal or text, is_offline=read_offer().is_offline) if text else [],
        "explanation": explain(text) if text else None,
        "conversation": conversation_about(found),
        "scopes": ROLE_SCOPES[request.membership.role],
        **comments_context(request, found),
        "stand_in": last_good(found, instead_of=text) if text else None,
        "variants": found.variants.all()[:100],
        "tones": TONES,
        "languages": LANGUAGES,
        "tiers": tier_choices(request.workspace.plan.highest_tier),
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


@require_POST
@require_scope(Scope.WRITE)
def product_rewrite(request: WorkspaceRequest, slug: str, pk: str) -> HttpResponse:
    found = find_product(request, pk)
    form = RewriteForm(request.POST, highest=request.workspace.plan.highest_tier)
    if not form.is_valid():
        raise Http404
    allowance = take_for_member(request.membership)
    if not allowance.allowed:
        raise refuse(allowance)
    # Without script nobody can read along, so the page waits for the text.
    write = streams.rewrite_aloud if request.htmx else texts.rewrite
    write(product=found, changes=form.changes(), created_by=request.user)
    return shown_again(request, slug, pk, is_news=True)


@require_POST
@require_scope(Scope.WRITE)
def product_edit(request: WorkspaceRequest, slug: str, pk: str) -> HttpResponse:
    """Autosave: replies with what to show beside the editor. "Done" replies with the text as it now reads."""
    found = find_product(request, pk)
    form = EditForm(request.POST)
    if not form.is_valid():
        return _not_saved(request, form)
    proposal = form.cleaned_data.get("proposal")
    text = texts.edit_text(product=found, fields=form.texts(), editor=request.user, proposal=proposal)
    if "done" in request.GET or not request.htmx:
        return shown_again(request, slug, pk, is_news=True)
    return render(request, "products/detail.html#saved", {"edited": text})


def _not_saved(request: WorkspaceRequest, form: EditForm) -> HttpResponse:
    reasons = " ".join(str(reason) for reasons in form.errors.values() for reason in reasons)
    if not request.htmx:
        raise DomainError(reasons, code="invalid")
    return render(request, "products/detail.html#saved", {"reasons": reasons}, status=422)


def shown_again(request: WorkspaceRequest, slug: str, pk: str, *, is_news: bool = False) -> HttpResponse:
    if request.htmx:
        return _product_page(request, find_product(request, pk), is_news=is_news)
    return redirect("product", slug, pk)
