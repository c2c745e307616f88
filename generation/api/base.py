"""What every operation of the API shares: the key's workspace, size limits, one page shape, rate-limit headers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from datetime import date
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import connection, models
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.pagination import BasePagination, CursorPagination
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.admission import Admission
from accounts.budgets import Payer
from accounts.models import ApiKey, Membership, TenantQuerySet, User, Workspace
from accounts.permissions import scopes_of
from accounts.throttling import Allowance
from contentopt.errors import DomainError
from generation.api.deprecation import Deprecation
from generation.api.strict import StrictJSONParser, StrictSerializer, TextField

MAX_IDEMPOTENCY_KEY = 255
MAX_PAGE = 200


class NewestFirst(CursorPagination):
    """A cursor is a position, so rows that come meanwhile move nothing: no row is given twice, none is left out."""

    page_size = 50
    ordering: Any = ("-created_at", "-id")

    def get_page_size(self, request: Request) -> int:
        asked = request.query_params  # checked by PageQuery
        return int(asked.get("limit") or asked.get("page_size") or self.page_size)


PAGE_SIZE = Deprecation(
    since=date(2026, 11, 27), sunset=date(2027, 11, 27), instead="`limit`, which means the same as `page_size` did"
)


class PageQuery(StrictSerializer):
    """Query parameters of a list. The reply holds `results`, and the addresses of the `next` and `previous` page."""

    cursor = TextField(required=False, max_length=500, help_text="As in `next` and `previous`.")
    limit = serializers.IntegerField(required=False, min_value=1, max_value=MAX_PAGE, default=50)
    page_size = serializers.IntegerField(
        required=False, min_value=1, max_value=MAX_PAGE, help_text=f"Deprecated. {PAGE_SIZE.remark}"
    )


class NoBody(StrictSerializer):
    """No fields."""


class WorkspaceAPIView(APIView):
    """A request made with an API key, or for a person by their access token. `self.workspace` is the one it is made
    in; nothing of another one can be loaded."""

    parser_classes: Any = [StrictJSONParser]
    max_body_bytes = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    pagination_class: type[BasePagination] = NewestFirst
    # A repeated POST gives its reply again: True where that holds a secret, which is then kept encrypted.
    is_reply_secret = False
    # The reply is kept in the transaction of what a POST does, so that neither is there without the other: for what
    # happens in the database alone.
    is_kept_with_its_work = False
    deprecations: tuple[Deprecation, ...] = ()  # of what the request used

    @property
    def is_told_as_events(self) -> bool:
        return False

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        # Limits before anything else that refuses, so that every reply to a good key says what is left.
        self.perform_authentication(request)
        self.check_throttles(request)
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
    def caller(self) -> ApiKey | Membership:
        caller: Any = self.request.auth
        return caller  # type: ignore[no-any-return]

    @property
    def key(self) -> ApiKey | None:
        return self.caller if isinstance(self.caller, ApiKey) else None

    @property
    def person(self) -> User | None:
        """Who acts, or made the key that does."""
        return self.caller.created_by if isinstance(self.caller, ApiKey) else self.caller.user

    @property
    def scopes(self) -> Collection[str]:
        return scopes_of(self.caller)

    @property
    def workspace(self) -> Workspace:
        return self.caller.workspace

    @property
    def payer(self) -> Payer:
        return payer_of(self.caller)

    @property
    def admission(self) -> Admission:
        return Admission(key_id=self.key.pk) if self.key else Admission(membership_id=self.caller.pk)

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

    def version(self, pk: Any = None) -> str | None:
        """What changes whenever a GET's reply does, if that is known for less than the reply itself."""
        return None

    def hold(self, pk: Any = None) -> None:
        """Make sure that what `If-Match` was compared with stays so until commit, as far as others use the API."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [self.request.path])

    def page(self, rows: models.QuerySet[Any], reply: type[serializers.Serializer[Any]]) -> Response:
        if "page_size" in self.request.query_params:
            self.deprecations = (*self.deprecations, PAGE_SIZE)
        paginator = self.pagination_class()
        try:
            found = paginator.paginate_queryset(rows, self.request, view=self)
        except (
            NotFound,
            ValidationError,
            ValueError,
        ) as error:  # it does not decode, or to something that is no position
            raise DomainError("This cursor is not one of ours.", code="invalid_cursor") from error
        return paginator.get_paginated_response(reply(found, many=True).data)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        final = super().finalize_response(request, response, *args, **kwargs)
        state_limits(final, getattr(request, "allowance", Allowance(allowed=True)))
        for deprecation in self.deprecations:
            deprecation.state(final)
        return final


def payer_of(caller: ApiKey | Membership) -> Payer:
    """A key's requests count for whoever made it as well: nobody gets around their own cap with a key."""
    if isinstance(caller, ApiKey):
        return Payer(caller.workspace_id, "api", user_id=caller.created_by_id, api_key_id=caller.pk)
    return Payer(caller.workspace_id, "api", user_id=caller.user_id)


def state_limits(response: HttpResponseBase, allowance: Allowance) -> None:
    for name, value in allowance.headers().items():
        response[name] = value
    response["Cache-Control"] = "no-store"


def validated(serializer: type[serializers.Serializer[Any]], data: Any) -> dict[str, Any]:
    checked = serializer(data=data)
    checked.is_valid(raise_exception=True)
    return checked.validated_data  # type: ignore[no-any-return]


def rendered(response: Response) -> HttpResponse:
    """As it goes out."""
    content = JSONRenderer().render(response.data)
    headers = {name: value for name, value in response.items() if name != "Content-Type"}
    return HttpResponse(content, status=response.status_code, content_type=JSONRenderer.media_type, headers=headers)


def body_hash(data: Any) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()
