from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import Literal

from django.db.models import Q
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts.models import ApiKey

LAST_USED_EVERY = timedelta(minutes=1)  # one write a minute and secret, however busy it is

Which = Literal["secret", "previous"]


def secret_digest(secret: str) -> str:
    """SHA-256 is enough for 32 random bytes, and a password hasher would cost every request 100 ms."""
    return hashlib.sha256(secret.encode()).hexdigest()


def matching_secret(key: ApiKey, secret: str) -> Which | None:
    """Which of the key's secrets this is, if it is good now. Digests are compared in constant time."""
    if not key.is_active:
        return None
    digest = secret_digest(secret)
    if secrets.compare_digest(key.secret_sha256, digest):
        return "secret"
    is_previous = key.is_rotating and secrets.compare_digest(key.previous_sha256, digest)
    return "previous" if is_previous else None


def find_secret(presented: str) -> tuple[ApiKey, Which] | None:
    """The active key that was presented and which of its secrets, or None."""
    prefix, _, secret = presented.partition(".")
    keys = ApiKey.objects.across_workspaces().select_related("workspace__plan")
    key = keys.filter(prefix=prefix, revoked_at=None).first()
    which = matching_secret(key, secret) if key else None
    return (key, which) if key and which else None


def find_key(presented: str) -> ApiKey | None:
    found = find_secret(presented)
    return found[0] if found else None


def note_use(key: ApiKey, which: Which) -> None:
    """Of the key, and while it has two secrets also of the one that was presented."""
    columns = ["last_used_at", *([f"{which}_used_at"] if key.is_rotating else [])]
    now = timezone.now()
    oldest = now - LAST_USED_EVERY
    stale = [column for column in columns if (used := getattr(key, column)) is None or used < oldest]
    if not stale:
        return
    is_stale = Q()
    for column in stale:
        is_stale |= Q(**{column: None}) | Q(**{f"{column}__lt": oldest})
    rows = ApiKey.objects.in_workspace(key.workspace_id).filter(is_stale, pk=key.pk)
    rows.update(**dict.fromkeys(stale, now))


class ApiKeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer <api key>`. `request.auth` is the key, and the key says the workspace."""

    def authenticate(self, request: Request) -> tuple[None, ApiKey] | None:
        scheme, _, presented = request.headers.get("Authorization", "").partition(" ")
        if not scheme:
            return None
        if scheme.lower() != "bearer":
            raise AuthenticationFailed("Send the key as “Authorization: Bearer <api key>”.")
        found = find_secret(presented.strip())
        if found is None:
            raise AuthenticationFailed("This API key is unknown, expired or revoked.")
        note_use(*found)
        return None, found[0]

    def authenticate_header(self, _request: Request) -> str:
        return "Bearer"


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = ApiKeyAuthentication
    name = "apiKey"

    def get_security_definition(self, _auto_schema: object) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "An API key of the workspace."}
