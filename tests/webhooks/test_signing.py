"""Signatures that somebody else's library takes, and secrets that the database alone does not give away."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from uuid import uuid4

import pytest
from django.test import override_settings
from svix.webhooks import Webhook, WebhookVerificationError

from webhooks.signing import SecretUnreadable, decrypt, encrypt, new_secret, signed_headers

BODY = '{"type":"run.finished","data":{"name":"Schürze – 1 m²"}}'.encode()


@pytest.fixture(params=["UTC", "Asia/Karachi", "America/St_Johns"])
def zone(request: pytest.FixtureRequest) -> Iterator[str]:
    before = os.environ.get("TZ")
    os.environ["TZ"] = request.param
    time.tzset()
    yield request.param
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()


@pytest.mark.usefixtures("zone")
def test_svix_takes_our_signature_wherever_the_machine_stands() -> None:
    secret = new_secret()
    headers = signed_headers(uuid4(), BODY, [secret])
    Webhook(secret).verify(BODY, headers)  # raises where it does not
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 5


def test_both_secrets_of_a_rotation_are_good() -> None:
    new, old = new_secret(), new_secret()
    headers = signed_headers(uuid4(), BODY, [new, old])
    for secret in (new, old):
        Webhook(secret).verify(BODY, headers)


@pytest.mark.parametrize("changed", ["body", "webhook-id", "webhook-timestamp"])
def test_whatever_is_changed_is_noticed(changed: str) -> None:
    secret = new_secret()
    headers = signed_headers(uuid4(), BODY, [secret])
    body = BODY + b" " if changed == "body" else BODY
    if changed != "body":
        headers[changed] = str(int(time.time()) + 1) if changed == "webhook-timestamp" else str(uuid4())
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body, headers)


def test_a_secret_is_kept_encrypted_under_the_secret_key() -> None:
    secret = new_secret()
    kept = encrypt(secret)
    assert secret not in kept
    assert decrypt(kept) == secret
    with override_settings(SECRET_KEY="another"), pytest.raises(SecretUnreadable):
        decrypt(kept)
    with override_settings(SECRET_KEY="another", SECRET_KEY_FALLBACKS=["only-for-tests"]):
        assert decrypt(kept) == secret


def test_secrets_are_of_the_standards_form_and_differ() -> None:
    first, second = new_secret(), new_secret()
    assert first.startswith("whsec_")
    assert first != second
