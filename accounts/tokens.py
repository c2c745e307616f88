"""Tokens for programs that act for a person: allauth's JWT strategy, and a refresh that cannot be used twice."""

from __future__ import annotations

from allauth.headless.tokens.strategies.jwt import JWTTokenStrategy
from allauth.headless.tokens.strategies.jwt.internal import decode_token, get_token_session, session_key_from_sid
from django.contrib.sessions.models import Session
from django.db import transaction


class TokenStrategy(JWTTokenStrategy):  # type: ignore[misc]
    """A refresh token is good once. Presented a second time, somebody has a copy of it, and whether that is the program
    or a thief cannot be told: the session ends, and both have to sign in (RFC 9700, 4.14.2)."""

    def refresh_token(self, refresh_token: str) -> tuple[str, str] | None:
        payload = decode_token(refresh_token, "refresh")
        if payload is None:
            return None
        with transaction.atomic():
            # allauth reads the session's tokens and writes them back; two at once would both succeed.
            key = session_key_from_sid(payload["sid"])
            if not Session.objects.select_for_update().filter(session_key=key).exists():
                return None
            refreshed: tuple[str, str] | None = super().refresh_token(refresh_token)
            if refreshed is None and (session := get_token_session(payload)):
                session.flush()
        return refreshed
