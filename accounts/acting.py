"""Who is at work right now: the person or API key of the request, staff in the admin, or the product itself.

For the audit log, so that no service has to hand it on. Set for the length of a request; a task, the clock or a command
has no request, and is the product.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from allauth.account.adapter import get_adapter
from django.core.exceptions import PermissionDenied
from django.core.validators import validate_ipv46_address
from django.http import HttpRequest, HttpResponse

from accounts.models import ApiKey, AuditEntry, User

_request: ContextVar[Any] = ContextVar("request", default=None)
STAFF_PAGES = "/staff/"


@dataclass(frozen=True, slots=True)
class Actor:
    kind: str = AuditEntry.Actor.SYSTEM
    user_id: UUID | None = None
    api_key_id: UUID | None = None
    address: str | None = None


SYSTEM = Actor()


def person(user: User, request: HttpRequest | None = None) -> Actor:
    return Actor(AuditEntry.Actor.USER, user.pk, address=address_of(request))


def staff_member(user_id: UUID) -> Actor:
    return Actor(AuditEntry.Actor.STAFF, user_id, address=address_of(_request.get()))


def present_actor() -> Actor:
    request = _request.get()
    if request is None:
        return SYSTEM
    address, key = address_of(request), getattr(request, "auth", None)  # DRF leaves what it found on Django's request
    if isinstance(key, ApiKey):
        return Actor(AuditEntry.Actor.KEY, api_key_id=key.pk, address=address)
    if impersonation := getattr(request, "impersonation", None):
        return staff_member(impersonation.staff_id)
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return Actor(address=address)
    is_staff = request.path.startswith(STAFF_PAGES)
    return Actor(AuditEntry.Actor.STAFF if is_staff else AuditEntry.Actor.USER, user.pk, address=address)


def actor_or(user: User) -> Actor:
    """Whoever is at work; who signs up at this moment is not signed in yet."""
    present = present_actor()
    is_nobody_yet = _request.get() is not None and present.kind == AuditEntry.Actor.SYSTEM
    return replace(present, kind=AuditEntry.Actor.USER, user_id=user.pk) if is_nobody_yet else present


def address_of(request: HttpRequest | None) -> str | None:
    """As far as proxies may be believed (ALLAUTH_TRUSTED_PROXY_COUNT)."""
    if request is None:
        return None
    try:
        address = str(get_adapter().get_client_ip(request))
        validate_ipv46_address(address)
    except (PermissionDenied, ValueError, KeyError):
        return None
    return address


class ActorMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        before = _request.set(request)
        try:
            return self.get_response(request)
        finally:
            _request.reset(before)
