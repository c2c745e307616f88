"""Where allauth asks us: how mails are sent, how secrets of second factors are kept."""

from __future__ import annotations

import base64
from typing import Any

import structlog
from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from accounts.models import User

log = structlog.get_logger()


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": "This address and this password do not belong together.",
        "too_many_login_attempts": "Too many failed tries to sign in. Wait five minutes, then try again.",
    }

    def authentication_failed(self, request: HttpRequest, **_credentials: Any) -> None:
        """Without the address that was tried: people type passwords into that field."""
        log.warning("sign_in_failed", address=self.get_client_ip(request))

    def send_notification_mail(self, *args: Any, **kwargs: Any) -> None:
        """What such a mail tells of has happened; a mail server that is down must not make it look as if it had not."""
        try:
            super().send_notification_mail(*args, **kwargs)
        except OSError as error:  # the mail server's errors are OSErrors, as are the network's
            log.warning("notice_not_mailed", kind=args[0] if args else "", error=type(error).__name__)


class FactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Secrets of authenticator apps and recovery codes are encrypted: a copy of the database alone makes no code."""

    def generate_authenticator_name(self, user: User, type: str) -> str:
        """What the form for a new passkey begins with."""
        others = Authenticator.objects.filter(user=user, type=type).count()
        return f"Passkey {others + 1}" if others else "Passkey"

    def encrypt(self, text: str) -> str:
        return _cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return _cipher().decrypt(encrypted_text.encode()).decode()


def _cipher() -> MultiFernet:
    """Under the present SECRET_KEY; what an earlier one has written can still be read."""
    return MultiFernet([_fernet(key) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


def _fernet(secret_key: str) -> Fernet:
    digest = salted_hmac("accounts.adapters.factors", "encrypt", secret=secret_key, algorithm="sha256").digest()
    return Fernet(base64.urlsafe_b64encode(digest))
