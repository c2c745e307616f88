from __future__ import annotations

import hashlib
import secrets
from copy import copy
from datetime import timedelta
from typing import Literal

from allauth.headless.tokens.strategies.jwt.internal import validate_access_token
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts.models import ApiKey, Membership, User
from contentopt.errors import NotAllowed
from contentopt.tenancy import enter

WORKSPACE_HEADER = "ContentOpt-Workspace"
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


def admit(request: HttpRequest, key: ApiKey) -> None:
    """Say of a request whose key was found that it is good now, so that it is not looked up again. The key may be one
    that other requests go by too."""
    request.admitted_key = key  # type: ignore[attr-defined]


def _admitted(request: Request) -> tuple[ApiKey, Which] | None:
    key: ApiKey | None = getattr(request, "admitted_key", None)
    return (key, "secret") if key else None


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
    for column in stale:
        setattr(key, column, now)


class ApiKeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer <api key>`. `request.auth` is the key, and the key says the workspace."""

    def authenticate(self, request: Request) -> tuple[None, ApiKey] | None:
        scheme, _, presented = request.headers.get("Authorization", "").partition(" ")
        if not scheme:
            return None
        if scheme.lower() != "bearer":
            raise AuthenticationFailed("Send the key as “Authorization: Bearer <api key>”.")
        found = _admitted(request) or find_secret(presented.strip())
        if found is None:
            raise AuthenticationFailed("This API key is unknown, expired or revoked.")
        enter(found[0].workspace_id)
        note_use(*found)
        return None, copy(found[0])

    def authenticate_header(self, _request: Request) -> str:
        return "Bearer"


class PersonAuthentication(BaseAuthentication):
    """`Authorization: Bearer <access token>` of a program that acts for a person, with the workspace in a header.

    `request.auth` is the person's membership there, read anew for each request, as is the session behind the token: who
    is removed, or ends the session, is out at once.
    """

    def authenticate(self, request: Request) -> tuple[User, Membership] | None:
        scheme, _, presented = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or presented.count(".") != 2:  # a JWT has three parts, a key of ours two
            return None
        valid = validate_access_token(presented.strip())
        if valid is None:
            raise AuthenticationFailed(
                "This access token has expired, or its session was ended. Refresh it, or sign in again."
            )
        user: User = valid[0]
        return user, _membership(user, request.headers.get(WORKSPACE_HEADER, ""))

    def authenticate_header(self, _request: Request) -> str:
        return "Bearer"


def _membership(user: User, slug: str) -> Membership:
    if not slug:
        raise NotAllowed(f"Name the workspace in the header {WORKSPACE_HEADER}.", code="workspace_required")
    memberships = Membership.objects.across_workspaces().filter(user=user, workspace__slug=slug)
    membership = memberships.select_related("workspace__plan").first()
    if membership is None:  # the same for a workspace that does not exist: nothing tells which there are
        raise NotAllowed(f"There is no workspace “{slug}” that this person is a member of.")
    membership.user = user
    enter(membership.workspace_id)
    return membership


class PersonScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = PersonAuthentication
    name = ["personToken", "workspace"]

    def get_security_requirement(self, _auto_schema: object) -> dict[str, list[str]]:
        return {"personToken": [], "workspace": []}

    def get_security_definition(self, _auto_schema: object) -> list[dict[str, str]]:
        return [
            {
                "type": "http",
                "scheme": "bearer",
                "bearerFormat": "JWT",
                "description": "An access token of a person: what their role in the workspace allows. "
                "`POST /_allauth/app/v1/auth/login` with `email` and `password` gives one, with a refresh token, or "
                "asks for a second factor first (`POST …/auth/2fa/authenticate` with `code`); "
                "`POST /_allauth/app/v1/tokens/refresh` renews it, `DELETE …/auth/session` ends it.",
            },
            {
                "type": "apiKey",
                "in": "header",
                "name": WORKSPACE_HEADER,
                "description": "With an access token: the workspace, by its name in addresses (`/w/<name>/`).",
            },
        ]


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = ApiKeyAuthentication
    name = "apiKey"

    def get_security_definition(self, _auto_schema: object) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "An API key of the workspace."}
