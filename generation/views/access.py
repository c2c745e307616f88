"""The only place where a page loads the rows it is about: within the workspace, or 404."""

from __future__ import annotations

from typing import TypeVar

from django.db import models
from django.http import Http404

from accounts.middleware import WorkspaceRequest
from accounts.models import Membership, TenantQuerySet
from generation.models import Catalogue, Comment, Product, Refinement, Run, Text

M = TypeVar("M", bound=models.Model)


def _find(request: WorkspaceRequest, rows: TenantQuerySet[M], pk: str) -> M:
    found = rows.in_workspace(request.workspace).filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def find_catalogue(request: WorkspaceRequest, pk: str) -> Catalogue:
    return _find(request, Catalogue.objects.all(), pk)


def find_product(request: WorkspaceRequest, pk: str) -> Product:
    people = ("text__approved_by", "text__submitted_by")
    return _find(request, Product.objects.select_related("text", "catalogue", *people), pk)


def find_run(request: WorkspaceRequest, pk: str) -> Run:
    return _find(request, Run.objects.select_related("catalogue"), pk)


def find_text(request: WorkspaceRequest, pk: str) -> Text:
    return _find(request, Text.objects.select_related("product"), pk)


def find_comment(request: WorkspaceRequest, pk: str) -> Comment:
    return _find(request, Comment.objects.select_related("text__product", "workspace", "created_by"), pk)


def find_membership(request: WorkspaceRequest, pk: str) -> Membership:
    return _find(request, Membership.objects.select_related("user"), pk)


def find_refinement(request: WorkspaceRequest, pk: str) -> Refinement:
    return _find(request, Refinement.objects.exclude(product=None).select_related("product", "text", "basis"), pk)
