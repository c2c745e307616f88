"""What every operation of the API shares: the key's workspace, size limits, one page shape, rate-limit headers."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.http import Http404
from rest_framework import serializers
from rest_framework.pagination import BasePagination, CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import TenantQuerySet, Workspace
from accounts.throttling import Allowance
from contentopt.errors import DomainError
from generation.api.strict import StrictJSONParser, StrictSerializer, TextField

NANOS_PER_DOLLAR = 1_000_000_000
MAX_IDEMPOTENCY_KEY = 255
MAX_PAGE = 200


class NewestFirst(CursorPagination):
    page_size = 50
    max_page_size = MAX_PAGE
    page_size_query_param = "page_size"
    ordering: Any = ("-created_at", "-id")


class PageQuery(StrictSerializer):
    """Query parameters of a list."""

    cursor = TextField(required=False, max_length=500, help_text="As in `next` and `previous`.")
    page_size = serializers.IntegerField(required=False, min_value=1, max_value=MAX_PAGE, default=50)


class WorkspaceAPIView(APIView):
    """A request made with an API key. `self.workspace` is the key's; nothing of another one can be loaded."""

    parser_classes: Any = [StrictJSONParser]
    max_body_bytes = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    pagination_class: type[BasePagination] = NewestFirst

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.limit_body(request.META.get("CONTENT_LENGTH") or "", chunked="Transfer-Encoding" in request.headers)

    def limit_body(self, length: str, *, chunked: bool) -> None:
        """Before anything of the body is read. WSGI gives a body without a length as empty, which would mislead."""
        if chunked and not length:
            raise DomainError("Send the body with a Content-Length, not chunked.", code="length_required", status=411)
        if length.isdecimal() and int(length) > self.max_body_bytes:
            megabytes = self.max_body_bytes // 1024 // 1024
            raise DomainError(f"The body is larger than {megabytes} MB.", code="too_large", status=413)

    @property
    def workspace(self) -> Workspace:
        key: Any = self.request.auth
        workspace: Workspace = key.workspace
        return workspace

    @property
    def allowance(self) -> Allowance:
        return getattr(self.request, "allowance", Allowance(allowed=True))

    def find(self, rows: TenantQuerySet[Any], pk: object) -> Any:
        """The row of this workspace, or 404: also for an id of another workspace."""
        try:
            return rows.in_workspace(self.workspace).get(pk=pk)
        except rows.model.DoesNotExist as error:
            raise Http404 from error

    def body(self, serializer: type[serializers.Serializer[Any]]) -> dict[str, Any]:
        return validated(serializer, self.request.data)

    def query(self, serializer: type[serializers.Serializer[Any]]) -> dict[str, Any]:
        return validated(serializer, self.request.query_params.dict())

    def idempotency_key(self) -> str | None:
        key = self.request.headers.get("Idempotency-Key")
        if key is not None and not 0 < len(key) <= MAX_IDEMPOTENCY_KEY:
            raise DomainError(f"An Idempotency-Key has 1 to {MAX_IDEMPOTENCY_KEY} characters.", code="invalid")
        return key

    def page(self, rows: models.QuerySet[Any], reply: type[serializers.Serializer[Any]]) -> Response:
        paginator = self.pagination_class()
        try:
            found = paginator.paginate_queryset(rows, self.request, view=self)
        except (ValidationError, ValueError) as error:  # a cursor that decodes, to something that is no position
            raise DomainError("This cursor is not one of ours.", code="invalid") from error
        return paginator.get_paginated_response(reply(found, many=True).data)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        final = super().finalize_response(request, response, *args, **kwargs)
        for name, value in getattr(request, "allowance", Allowance(allowed=True)).headers().items():
            final[name] = value
        final["Cache-Control"] = "no-store"
        return final


def validated(serializer: type[serializers.Serializer[Any]], data: Any) -> dict[str, Any]:
    checked = serializer(data=data)
    checked.is_valid(raise_exception=True)
    return checked.validated_data  # type: ignore[no-any-return]


def body_hash(data: Any) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()


def usd(nanos: int) -> str:
    """Exact decimal string, at least two decimals: 1_250_000 nano-dollars -> "0.00125"."""
    whole, rest = divmod(nanos, NANOS_PER_DOLLAR)
    decimals = f"{rest:09d}".rstrip("0").ljust(2, "0")
    return f"{whole}.{decimals}"
