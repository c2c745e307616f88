"""ETags: whoever has a reply already is not sent it again, and nobody overwrites what they have not seen."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

from django.db import models, transaction
from django.db.models.expressions import RawSQL
from django.http import HttpResponse
from django.utils.http import parse_etags
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import TenantQuerySet
from contentopt.errors import DomainError
from generation.api.base import WorkspaceAPIView, rendered


class Changed(DomainError):
    code = "precondition_failed"
    status = 412


def row_version(model: type[models.Model]) -> RawSQL:
    """PostgreSQL's own count: another one after every committed change of the row, by whichever way it was made."""
    return RawSQL(f'"{model._meta.db_table}"."xmin"::text', (), output_field=models.TextField())  # noqa: S611


def version_of(rows: TenantQuerySet[Any], *more: str) -> str | None:
    """Of one row, with further columns that its reply depends on. None when there is no such row."""
    found = rows.annotate(row_version=row_version(rows.model)).values_list("pk", "row_version", *more).first()
    return found and "/".join(map(str, found))


def etag_of(version: str | bytes) -> str:
    content = version.encode() if isinstance(version, str) else version
    return f'"{hashlib.blake2b(content, digest_size=16).hexdigest()}"'


def tagged(handler: Callable[..., Any]) -> Callable[..., Any]:
    """For a GET."""

    @wraps(handler)
    def answered(view: WorkspaceAPIView, request: Request, *args: Any, **named: Any) -> Any:
        held = parse_etags(request.headers.get("If-None-Match", ""))
        version = view.version(**named)
        if version and _is_among(etag_of(version), held):
            return HttpResponse(status=304, headers={"ETag": etag_of(version)})
        response = handler(view, request, *args, **named)
        if not isinstance(response, Response):  # a file or a stream
            return response
        reply = rendered(response)
        reply["ETag"] = etag_of(version or reply.content)
        return HttpResponse(status=304, headers={"ETag": reply["ETag"]}) if _is_among(reply["ETag"], held) else reply

    return answered


def unless_changed(handler: Callable[..., Any]) -> Callable[..., Any]:
    """For a PATCH, PUT or DELETE: with `If-Match` only of what is still as it was read."""

    @wraps(handler)
    def compared(view: WorkspaceAPIView, request: Request, *args: Any, **named: Any) -> Any:
        if "If-Match" not in request.headers:
            return handler(view, request, *args, **named)
        held = parse_etags(request.headers["If-Match"])
        with transaction.atomic():
            view.hold(**named)
            require_match(held, current_etag(view, request, **named))
            return handler(view, request, *args, **named)

    return compared


def current_etag(view: WorkspaceAPIView, request: Request, **named: Any) -> str:
    """The one that a GET would give. Raises what that raises."""
    version = view.version(**named)
    return etag_of(version) if version else view.get(request, **named)["ETag"]  # type: ignore[attr-defined]


def require_match(held: Iterable[str], present: str) -> None:
    if "*" not in held and present not in held:  # strongly: a weak tag never matches
        raise Changed(
            "This was changed since you read it, so nothing was done. Read it again, and decide with what it is now."
        )


def _is_among(etag: str, held: Iterable[str]) -> bool:
    """Weakly: RFC 9110, 13.1.2."""
    return any(each == "*" or each.removeprefix("W/") == etag for each in held)
