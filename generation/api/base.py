"""What every operation of the API shares: the key's workspace, size limits, strict bodies, rate-limit headers."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.http import Http404
from rest_framework import serializers
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import TenantQuerySet, Workspace
from accounts.throttling import Allowance
from contentopt.errors import DomainError

NANOS_PER_DOLLAR = 1_000_000_000
MAX_IDEMPOTENCY_KEY = 255


class WorkspaceAPIView(APIView):
    """A request made with an API key. `self.workspace` is the key's; nothing of another one can be loaded."""

    max_body_bytes = settings.DATA_UPLOAD_MAX_MEMORY_SIZE

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if int(request.META.get("CONTENT_LENGTH") or 0) > self.max_body_bytes:
            megabytes = self.max_body_bytes // 1024 // 1024
            raise DomainError(f"The body is larger than {megabytes} MB.", code="too_large", status=413)

    @property
    def workspace(self) -> Workspace:
        workspace: Workspace = self.request.workspace
        return workspace

    @property
    def allowance(self) -> Allowance:
        allowance: Allowance = getattr(self.request, "allowance", Allowance(allowed=True))
        return allowance

    def find(self, rows: TenantQuerySet[Any], pk: object) -> Any:
        """The row of this workspace, or 404: also for an id of another workspace, and for one that is no id at all."""
        try:
            return rows.in_workspace(self.workspace).get(pk=pk)
        except (rows.model.DoesNotExist, ValidationError) as error:
            raise Http404 from error

    def idempotency_key(self) -> str | None:
        key = self.request.headers.get("Idempotency-Key")
        if key is not None and not 0 < len(key) <= MAX_IDEMPOTENCY_KEY:
            raise DomainError(f"An Idempotency-Key has 1 to {MAX_IDEMPOTENCY_KEY} characters.", code="invalid")
        return key

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        final = super().finalize_response(request, response, *args, **kwargs)
        final.headers.update(getattr(request, "allowance", Allowance(allowed=True)).headers())
        final.headers["Cache-Control"] = "no-store"
        return final  # type: ignore[no-any-return]


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses fields it does not know, so that a misspelt one is not silently ignored."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            unknown = set(data) - set(self.fields)
            if unknown:
                raise serializers.ValidationError(
                    {str(name): ["There is no such field."] for name in sorted(unknown, key=str)}
                )
        return super().to_internal_value(data)


class NewestFirst(CursorPagination):
    page_size = 50
    max_page_size = 200
    page_size_query_param = "page_size"
    ordering: Any = "-created_at"


class OldestFirst(NewestFirst):
    ordering = "created_at"


def body_hash(data: Any) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True, default=str).encode()).hexdigest()


def usd(nanos: int) -> str:
    """Exact decimal string, at least two decimals: 1_250_000 nano-dollars -> "0.00125"."""
    whole, rest = divmod(nanos, NANOS_PER_DOLLAR)
    decimals = f"{rest:09d}".rstrip("0").ljust(2, "0")
    return f"{whole}.{decimals}"


def page(view: APIView, paginator: CursorPagination, rows: models.QuerySet[Any], serializer: type[Any]) -> Response:
    found = paginator.paginate_queryset(rows, view.request, view=view)
    return paginator.get_paginated_response(serializer(found, many=True).data)
