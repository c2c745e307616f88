from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.audit import record
from accounts.middleware import WorkspaceRequest
from accounts.models import Action, Scope
from accounts.permissions import ROLE_SCOPES, require_scope
from accounts.spreadsheets import csv_lines
from contentopt.downloads import attachment
from contentopt.errors import DomainError
from generation.catalogues.dialect import Dialect
from generation.exporting import (
    NEW_COLUMN,
    export_name,
    left_out,
    product_changes,
    target_columns,
    written_products,
)
from generation.forms import DialectForm, MappingForm, UploadForm
from generation.models import Catalogue, Product
from generation.services import catalogues
from generation.views.access import find_catalogue
from generation.views.partials import go_to, render_page

PAST_IMPORTS = 20
PREVIEW_ROWS = 20
CHANGES_PER_PAGE = 20
PROBLEMS_SHOWN = 50


@require_scope(Scope.WRITE)
def import_new(request: WorkspaceRequest, slug: str) -> HttpResponse:
    form = UploadForm(request.POST, request.FILES) if request.method == "POST" else UploadForm()
    if form.is_valid() and (catalogue := _received(request, form)):
        return go_to(request, reverse("import_detail", args=(slug, catalogue.pk)))
    past = Catalogue.objects.in_workspace(request.workspace)
    context = {
        "form": form,
        "catalogues": past[:PAST_IMPORTS],
        "sample": past.filter(is_sample=True, status=Catalogue.Status.READY).first(),
        "max_bytes": settings.CATALOGUE_MAX_BYTES,
        "max_megabytes": settings.CATALOGUE_MAX_BYTES // 2**20,
    }
    status = 422 if form.errors else 200
    return render_page(request, "imports/new.html", context, part="form", status=status)


def _received(request: WorkspaceRequest, form: UploadForm) -> Catalogue | None:
    """The kept file; a refusal is said beside the field."""
    upload = form.cleaned_data["file"]
    try:
        return catalogues.receive_file(
            workspace=request.workspace, upload=upload, filename=upload.name, created_by=request.user
        )
    except DomainError as error:
        form.add_error("file", error.message)
        return None


@require_scope(Scope.READ)
def import_detail(request: WorkspaceRequest, slug: str, pk: str) -> HttpResponse:
    """How the import goes while it goes (the page asks again), and afterwards what was found."""
    catalogue = find_catalogue(request, pk)
    if catalogue.status == Catalogue.Status.NEEDS_MAPPING and catalogue.is_finished:
        return go_to(request, reverse("import_mapping", args=(slug, pk)))
    is_ready = catalogue.status == Catalogue.Status.READY
    context = {
        "catalogue": catalogue,
        "dialect_form": DialectForm(initial=catalogue.dialect),
        "health": catalogues.catalogue_health(catalogue) if is_ready else None,
        "problem_count": catalogue.problems.count(),
        "problems": catalogue.problems.all()[:PROBLEMS_SHOWN],
        "preview": Product.objects.in_workspace(request.workspace).filter(catalogue=catalogue)[:PREVIEW_ROWS],
        "columns": column_roles(catalogue),
        "has_runs": catalogue.runs.exists(),
    }
    return render_page(request, "imports/detail.html", context, part="status")


def column_roles(catalogue: Catalogue) -> list[dict[str, str]]:
    if not catalogue.header:
        return []
    form = MappingForm(catalogue)
    return [{"name": str(field.label), "role": str(field.initial)} for field in form]


@require_scope(Scope.WRITE)
def import_mapping(request: WorkspaceRequest, slug: str, pk: str) -> HttpResponse:
    catalogue = find_catalogue(request, pk)
    form = MappingForm(catalogue, request.POST or None)
    if request.method == "POST" and form.is_valid() and _mapped(catalogue, form):
        return redirect("import_detail", slug, pk)
    samples = catalogues.sample_values(catalogue)
    columns = [(field, list(dict.fromkeys(filter(None, row)))) for field, row in zip(form, samples, strict=True)]
    return render(request, "imports/mapping.html", {"catalogue": catalogue, "form": form, "columns": columns})


def _mapped(catalogue: Catalogue, form: MappingForm) -> bool:
    """Whether the import went on with these columns; if not, the form says why and keeps what was chosen."""
    try:
        catalogues.map_columns(catalogue=catalogue, mapping=form.mapping())
    except DomainError as error:
        form.add_error(None, error.message)
        return False
    return True


@require_POST
@require_scope(Scope.WRITE)
def import_dialect(request: WorkspaceRequest, slug: str, pk: str) -> HttpResponse:
    catalogue = find_catalogue(request, pk)
    form = DialectForm(request.POST)
    if form.is_valid():
        catalogues.change_dialect(
            catalogue=catalogue, dialect=Dialect.from_json({**catalogue.dialect, **form.cleaned_data})
        )
    return redirect("import_detail", slug, pk)


@require_POST
@require_scope(Scope.WRITE)
def import_delete(request: WorkspaceRequest, slug: str, pk: str) -> HttpResponse:
    catalogue = find_catalogue(request, pk)
    catalogues.delete_catalogue(catalogue)
    messages.success(request, f"“{catalogue.filename}” and its products were removed.")
    return redirect("import_new", slug)


@require_scope(Scope.READ)
def import_problems(request: WorkspaceRequest, slug: str, pk: str) -> HttpResponseBase:
    """The problem list as a CSV to work through."""
    catalogue = find_catalogue(request, pk)
    record(Action.REPORT_DOWNLOADED, workspace=request.workspace, target=catalogue, report="problems")

    def rows() -> Iterator[tuple[object, ...]]:
        yield "row", "line", "column", "problem", "what it means"
        for problem in catalogue.problems.iterator(chunk_size=500):
            yield problem.row_number, problem.line, problem.column, problem.code, problem.message

    return attachment(csv_lines(rows()), f"{catalogue.filename}-problems.csv")


@require_scope(Scope.READ)
def export_review(request: WorkspaceRequest, slug: str, pk: str) -> HttpResponse:
    """Before the download: which cells change, and how."""
    catalogue = find_catalogue(request, pk)
    catalogues.check_exportable(catalogue)
    only_empty = request.GET.get("only_empty") == "on"
    page = Paginator(written_products(catalogue, only_empty=only_empty), CHANGES_PER_PAGE).get_page(
        request.GET.get("page")
    )
    columns = target_columns(catalogue)
    context = {
        "catalogue": catalogue,
        "page": page,
        "only_empty": only_empty,
        "left_out": left_out(catalogue, only_empty=only_empty),
        "may_set_rule": Scope.ADMIN in ROLE_SCOPES[request.membership.role],
        "column_names": [[*catalogue.header, NEW_COLUMN][column] for column in columns.values()],
        "changes": [
            {"product": product, "cells": product_changes(catalogue, product, columns)} for product in page.object_list
        ],
    }
    return render(request, "imports/export.html", context)


@require_scope(Scope.READ)
def export_download(request: WorkspaceRequest, slug: str, pk: str) -> HttpResponseBase:
    catalogue = find_catalogue(request, pk)
    only_empty = request.GET.get("only_empty") == "on"
    return attachment(catalogues.download(catalogue, only_empty=only_empty), export_name(catalogue))
