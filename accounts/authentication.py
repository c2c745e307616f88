from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from django.db.models import Q
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts.models import ApiKey
from contentopt.tenancy import enter

LAST_USED_EVERY = timedelta(minutes=1)  # one write a minute and key, however busy it is


def secret_digest(secret: str) -> str:
    """SHA-256 is enough for 32 random bytes, and a password hasher would cost every request 100 ms."""
    return hashlib.sha256(secret.encode()).hexdigest()


def find_key(presented: str) -> ApiKey | None:
    """The active key that was presented, or None. The digest is compared in constant time."""
    prefix, _, secret = presented.partition(".")
    keys = ApiKey.objects.across_workspaces().select_related("workspace__plan")
    key = keys.filter(prefix=prefix, revoked_at=None).first()
    if key is None or not secrets.compare_digest(key.secret_sha256, secret_digest(secret)):
        return None
    return key


def note_use(key: ApiKey) -> None:
    now = timezone.now()
    if key.last_used_at is None or now - key.last_used_at > LAST_USED_EVERY:
        stale = Q(last_used_at=None) | Q(last_used_at__lt=now - LAST_USED_EVERY)
        ApiKey.objects.in_workspace(key.workspace_id).filter(stale, pk=key.pk).update(last_used_at=now)


class ApiKeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer <api key>`. `request.auth` is the key, and the key says the workspace."""

    def authenticate(self, request: Request) -> tuple[None, ApiKey] | None:
        scheme, _, presented = request.headers.get("Authorization", "").partition(" ")
        if not scheme:
            return None
        if scheme.lower() != "bearer":
            raise AuthenticationFailed("Send the key as “Authorization: Bearer <api key>”.")
        key = find_key(presented.strip())
        if key is None:
            raise AuthenticationFailed("This API key is unknown or was revoked.")
        enter(key.workspace_id)
        note_use(key)
        return None, key

    def authenticate_header(self, _request: Request) -> str:
        return "Bearer"


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = ApiKeyAuthentication
    name = "apiKey"

    def get_security_definition(self, _auto_schema: object) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "An API key of the workspace."}
