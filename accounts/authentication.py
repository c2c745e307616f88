from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from allauth.headless.tokens.strategies.jwt.internal import validate_access_token
from django.db.models import Q
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts.models import ApiKey, Membership, User
from contentopt.errors import NotAllowed

WORKSPACE_HEADER = "ContentOpt-Workspace"
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
        note_use(key)
        return None, key

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
