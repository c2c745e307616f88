from __future__ import annotations

import pytest
from django.conf import LazySettings

from billing.apps import check_keys


@pytest.mark.parametrize(
    ("key", "debug", "base", "secrets", "found"),
    [
        ("", True, "", [], []),
        ("sk_test_1", True, "", ["whsec_1"], []),
        ("rk_live_1", False, "", ["whsec_1"], []),
        ("sk_live_1", True, "", ["whsec_1"], ["billing.E001"]),
        ("sk_live_1", False, "http://127.0.0.1:1", ["whsec_1"], ["billing.E002"]),
        ("sk_test_1", False, "", [], ["billing.W001"]),
    ],
)
def test_keys_that_are_wrong_together_are_found(
    settings: LazySettings, key: str, debug: bool, base: str, secrets: list[str], found: list[str]
) -> None:
    settings.STRIPE_API_KEY, settings.DEBUG, settings.STRIPE_API_BASE = key, debug, base
    settings.STRIPE_WEBHOOK_SECRETS = secrets

    assert [message.id for message in check_keys()] == found
