"""Signing up: at once for the first of a network, by mail for those who come after, and what that is good for.

Whoever may work at once sees whether they may, so a form that lets new addresses in at once tells which addresses are
known. Only a form that asks for the mailbox first tells nothing; it also costs a newcomer the first five minutes. So a
network (an IPv4 address, a /64 of IPv6) has a few sign-ups a day that work at once, and that is all it can learn: from
then on everybody gets the same page and a mail, known or not, after the same work. A link in that mail proves the
address and leads back to the form, where it works at once.
"""

from __future__ import annotations

import hashlib
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.forms import SignupForm
from allauth.account.internal.flows.manage_email import assess_unique_email
from django.conf import settings
from django.core.signing import BadSignature, TimestampSigner
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from accounts.models import User
from accounts.throttling import network_of, take
from accounts.windows import Subject

LINK_SECONDS = 24 * 3600
MAILS_A_DAY = 3  # to one address
VERIFIED = "account_verified_email"  # where allauth keeps an address that its owner has proved in this session
TAKEN = "There is an account with this address. Sign in, or take another."

signer = TimestampSigner(salt="accounts.signing_up")


class SignUpForm(SignupForm):  # type: ignore[misc]
    def validate_unique_email(self, value: str) -> str:
        """Nothing is said here; `try_save` decides what may be."""
        self.account_already_exists = not assess_unique_email(value)
        return get_adapter().validate_unique_email(value)  # type: ignore[no-any-return]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean()
        self.is_by_mail = False
        if self.errors or "email" not in cleaned:
            return cleaned
        request = get_adapter().request
        if request.session.get(VERIFIED) != cleaned["email"] and not may_begin_at_once(request):
            self.is_by_mail = True
        elif self.account_already_exists:
            self.add_error("email", TAKEN)
        return cleaned

    def try_save(self, request: HttpRequest) -> tuple[User | None, HttpResponse | None]:
        if not self.is_by_mail:
            saved: tuple[User | None, HttpResponse | None] = super().try_save(request)
            return saved
        mail_sign_up(request, self.cleaned_data["email"], is_known=self.account_already_exists)
        return None, redirect("account_email_verification_sent")


def may_begin_at_once(request: HttpRequest) -> bool:
    network = network_of(request)
    subject = Subject("sign-up", network, "signing up", daily=settings.SIGN_UPS_AT_ONCE)
    return take(network, [subject]).allowed


def mail_sign_up(request: HttpRequest, email: str, *, is_known: bool) -> None:
    """One mail in either case: the link to go on with, or that there is an account already. Nobody's mailbox is filled
    by somebody else's typing: after a few there is none, and the page is the same."""
    adapter = get_adapter()
    mailbox = hashlib.sha256(email.encode()).hexdigest()
    if not take(mailbox, [Subject("mailbox", mailbox, "mails to one address", daily=MAILS_A_DAY)]).allowed:
        return
    if is_known:
        adapter.send_account_already_exists_mail(email)
        return
    link = request.build_absolute_uri(reverse("account_signup_confirmed", args=[signer.sign(email)]))
    adapter.send_mail("account/email/sign_up", email, {"sign_up_url": link})


def proved_address(token: str) -> str | None:
    """The address that a link in a mail proves; None when it is not ours or too old."""
    try:
        return signer.unsign(token, max_age=LINK_SECONDS)
    except BadSignature:
        return None
