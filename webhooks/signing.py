"""Secrets and signatures, by Standard Webhooks 1.0.0.

A signature needs the secret itself, so a digest of it would not do: it is kept encrypted, with a key that is derived
from SECRET_KEY. Somebody who has the database alone can sign nothing.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from standardwebhooks import Webhook

PREFIX = "whsec_"
SECRET_BYTES = 32


class SecretUnreadable(RuntimeError):
    """It was encrypted under another SECRET_KEY than those that are set. Rotating the endpoint's secret mends it."""


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def encrypt(secret: str) -> str:
    return _cipher().encrypt(secret.encode()).decode()


def decrypt(token: str) -> str:
    try:
        return _cipher().decrypt(token.encode()).decode()
    except InvalidToken as error:
        raise SecretUnreadable from error


def _cipher() -> MultiFernet:
    """Writes with SECRET_KEY, reads with its predecessors too."""
    return MultiFernet([Fernet(_key(key)) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


def _key(secret_key: str) -> bytes:
    derived = HKDF(SHA256(), length=32, salt=None, info=b"webhooks.signing").derive(secret_key.encode())
    return base64.urlsafe_b64encode(derived)


def signed_headers(event_id: UUID, body: bytes, keys: Sequence[str]) -> dict[str, str]:
    """For one attempt, now. One signature for each secret, so that both of a rotation are good."""
    now = datetime.now(UTC)  # aware and in UTC: `sign` reads any other one wrongly
    signatures = [Webhook(key).sign(str(event_id), now, body.decode()) for key in keys]
    return {
        "webhook-id": str(event_id),
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
