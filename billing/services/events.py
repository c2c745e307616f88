"""What the webhook does: check, write down, answer."""

from __future__ import annotations

import json

from django.conf import settings

from billing import gateway, inbox


def receive(body: bytes, signature: str) -> bool:
    """Take in one delivery; False when it was known. Raises gateway.BadSignature, and whatever keeps the database from
    storing it: then Stripe must send it again."""
    text = gateway.verify(body, signature, settings.STRIPE_WEBHOOK_SECRETS)
    return inbox.store(json.loads(text), text, inbox.THE_ENDPOINT)
