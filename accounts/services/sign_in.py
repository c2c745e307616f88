from __future__ import annotations

from datetime import timedelta

from allauth.account.adapter import get_adapter
from allauth.mfa.base.internal.flows import delete_dangling_recovery_codes
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from accounts.devices import device_digest, device_name
from accounts.models import KnownDevice, User

FORGOTTEN_AFTER = timedelta(days=180)  # a device not seen for so long is new again
FAILURES_TOLD_EVERY = 3600  # seconds


def note_sign_in(request: HttpRequest, user: User) -> None:
    """Tell the person of a sign-in from a device or network that is new; the first of all is no news."""
    adapter = get_adapter()
    user_agent, address = adapter.get_http_user_agent(request), adapter.get_client_ip(request)
    now = timezone.now()
    devices = KnownDevice.objects.filter(user=user)
    devices.filter(seen_at__lt=now - FORGOTTEN_AFTER).delete()
    is_first = not devices.exists()
    _, is_new = KnownDevice.objects.update_or_create(
        user=user, digest=device_digest(user_agent, address), defaults={"seen_at": now}
    )
    if is_new and not is_first:
        adapter.send_notification_mail("account/email/new_device", user, {"device": device_name(user_agent)})


def tell_of_failed_factor(user: User) -> None:
    """The password was right and the code was not: once an hour at most."""
    if cache.add(f"factor-failed:{user.pk}", True, timeout=FAILURES_TOLD_EVERY):
        get_adapter().send_notification_mail("account/email/factor_failed", user)


def remove_factor(factor: Authenticator) -> None:
    """By staff, for somebody who has lost it. Recovery codes go with the last of the others."""
    with transaction.atomic():
        factor.delete()
        delete_dangling_recovery_codes(factor.user)
    get_adapter().send_notification_mail("account/email/factor_removed", factor.user)
