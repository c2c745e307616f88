"""Notices by mail: one message for each person, however often its worker dies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from smtplib import SMTPRecipientsRefused
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid5

import structlog
from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.signing import BadSignature, Signer
from django.db.models import Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from accounts.invitations import token_of
from accounts.models import PLATFORM_WORKSPACE_ID, ApiKey, Budget, Invitation, Membership, Notice, User
from accounts.models.invitations import InvitationQuerySet
from accounts.notices import ALERTS, MANAGERS, alert_of, described, one_line
from accounts.signals import alert_raised
from accounts.summaries import summarise
from contentopt import jobs
from contentopt.jobs import JobState
from contentopt.tenancy import entering

log = structlog.get_logger()

SEND_NOTICE = "accounts.tasks.send_notice"
DIED = "Sending this stopped the worker several times, so it was set aside."
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=30), timedelta(hours=1)
GIVE_UP_AFTER = timedelta(days=7)
SWEEP_AT_ONCE = 100

unsubscribe_signer = Signer(salt="accounts.weekly_summary")


class Mailing(StrEnum):
    """What members can have no more of."""

    WEEK = "week"
    MENTIONS = "mentions"


MAILINGS: dict[str, Mailing] = {Notice.Kind.WEEK: Mailing.WEEK, Notice.Kind.MENTION: Mailing.MENTIONS}


@dataclass(frozen=True, slots=True)
class Recipient:
    id: UUID  # of the user; of the invitation, for who may have no account yet
    email: str
    membership_id: UUID | None = None  # staff have none


# --- The queue --------------------------------------------------------------------------------------------------------


def send_notice(notice_id: UUID | str) -> JobState | None:
    """Claim one notice and mail it. None when there was nothing to claim or the lease was lost."""
    notice = jobs.claim(Notice, notice_id)
    if notice is None:
        return None
    try:
        with entering(notice.workspace_id), jobs.heartbeat(notice):
            return _send_claimed(notice)
    except jobs.LostLease:
        log.info("lease_lost", notice=str(notice.pk))
        return None


def _send_claimed(notice: Notice) -> JobState:
    if notice.kind in ALERTS:
        alert_raised.send(Notice, notice=notice)
    try:
        _mail_everybody(notice)
    except OSError as error:  # the mail server's errors are OSErrors, as are the network's
        return _try_later(notice, error)
    jobs.finish(notice, JobState.DONE)
    return JobState.DONE


def _mail_everybody(notice: Notice) -> None:
    """Mail those who have not had it. Raises OSError when somebody is left who may get it later."""
    mailed = notice.details.get("mailed", [])
    waiting = [person for person in recipients(notice) if str(person.id) not in mailed]
    if not waiting:
        return
    postponed: OSError | None = None
    with get_connection() as server:
        for person, message in zip(waiting, messages(notice, waiting), strict=True):
            try:
                server.send_messages([message])
            except SMTPRecipientsRefused as error:
                if not _is_final(error):
                    postponed = error
                    continue
                log.warning("address_refused", recipient=str(person.id))
            _note_mailed(notice, person)
    if postponed:
        raise postponed


def _is_final(error: SMTPRecipientsRefused) -> bool:
    return all(code >= 500 for code, _ in error.recipients.values())


def _note_mailed(notice: Notice, person: Recipient) -> None:
    """At once, so that whoever goes on after a crash mails nobody twice."""
    notice.details = {**notice.details, "mailed": [*notice.details.get("mailed", []), str(person.id)]}
    if not jobs.with_lease(notice).update(details=notice.details):
        raise jobs.LostLease(str(notice.pk))


def _try_later(notice: Notice, error: OSError) -> JobState:
    """As long again as it is old, so waits double. A mail server that is down is no fault of the notice."""
    age = timezone.now() - notice.created_at
    wait = min(max(age, FIRST_WAIT), LONGEST_WAIT)
    log.warning("mail_postponed", notice=str(notice.pk), error=type(error).__name__)
    return jobs.give_back(
        notice,
        seconds=wait.total_seconds(),
        failure=f"The mail server did not take it ({type(error).__name__}).",
        final=age > GIVE_UP_AFTER,
        counts=False,
    )


def sweep_notices() -> None:
    """Send what is new or was lost, end what keeps killing its worker."""
    jobs.fail_exhausted(Notice, DIED)
    jobs.publish_due(Notice, SEND_NOTICE, at_once=SWEEP_AT_ONCE)


def queue_again(notice: Notice) -> None:
    """Mail a notice anew, to everybody."""
    details = {name: value for name, value in notice.details.items() if name != "mailed"}
    idle = Notice.objects.in_workspace(notice.workspace_id).filter(pk=notice.pk).exclude(state=JobState.RUNNING)
    jobs.queue_again(idle, details=details)


# --- To whom ----------------------------------------------------------------------------------------------------------


def recipients(notice: Notice) -> list[Recipient]:
    """Whom it names or mentions; else owners and admins, and whom the cap is about; for the platform, its staff."""
    if notice.kind == Notice.Kind.INVITATION:
        return [Recipient(found.pk, found.email) for found in _invitation(notice)]
    if notice.kind == Notice.Kind.TEAM:
        named = User.objects.filter(pk=notice.details["user"], is_active=True)
        return [Recipient(person.pk, person.email) for person in named]
    if notice.workspace_id == PLATFORM_WORKSPACE_ID:
        staff = User.objects.filter(is_staff=True, is_active=True).order_by("date_joined")
        return [Recipient(person.pk, person.email) for person in staff]
    members = Membership.objects.in_workspace(notice.workspace_id).filter(user__is_active=True).select_related("user")
    if notice.kind == Notice.Kind.WEEK:
        members = members.filter(role__in=MANAGERS, wants_weekly_summary=True)
    elif notice.kind == Notice.Kind.MENTION:
        members = members.filter(user_id=notice.details["user"], wants_mention_mail=True)
    else:
        members = members.filter(Q(role__in=MANAGERS) | Q(user_id=_concerned(notice)))
    return [Recipient(member.user_id, member.user.email, member.pk) for member in members.order_by("created_at")]


def _invitation(notice: Notice) -> InvitationQuerySet:
    """None when it was revoked or accepted before the mail went out."""
    invitations = Invitation.objects.in_workspace(notice.workspace_id).holding_a_seat()
    return invitations.filter(pk=notice.details["invitation"]).select_related("invited_by")


def _concerned(notice: Notice) -> UUID | None:
    """The member of a member's cap; who made the key of a key's."""
    scope, scope_id = notice.details.get("scope"), notice.details.get("scope_id")
    if scope == Budget.Scope.MEMBER:
        return UUID(scope_id)
    if scope == Budget.Scope.KEY:
        keys = ApiKey.objects.in_workspace(notice.workspace_id).filter(pk=scope_id)
        return keys.values_list("created_by", flat=True).first()
    return None


# --- What it says -----------------------------------------------------------------------------------------------------


def messages(notice: Notice, people: list[Recipient]) -> Iterator[EmailMessage]:
    """One for each, in their order. Names are looked up now: what is gone by now is called so."""
    workspace = notice.workspace
    sender = one_line(workspace.name)
    context: dict[str, Any] = {
        "workspace": sender,
        "is_staff": notice.workspace_id == PLATFORM_WORKSPACE_ID,
        "staff_url": public_url("staff_money"),
        "usage_url": public_url("usage", workspace.slug),
        "alerts_url": public_url("alerts", workspace.slug),
        "caps_url": public_url("usage_caps", workspace.slug),
        "plan_url": public_url("plan", workspace.slug),
    }
    if notice.kind == Notice.Kind.WEEK:
        starts, ends = (datetime.fromisoformat(notice.details[name]) for name in ("starts", "ends"))
        context |= {"week": summarise(workspace, starts, ends), "starts": starts, "ends": ends - timedelta(days=1)}
        subject, template = f"your week in texts, {starts:%-d %B} to {context['ends']:%-d %B}", "emails/week.txt"
    elif notice.kind == Notice.Kind.STAFF:
        context |= {"text": notice.details["text"], "url": absolute_url(notice.details["path"])}
        sender, subject, template = "ContentOpt", notice.details["subject"], "emails/staff.txt"
    elif notice.kind == Notice.Kind.INVITATION:
        invitation = _invitation(notice).get()
        context |= {"invitation": invitation, "url": public_url("invitation", token_of(invitation.pk))}
        subject, template = "you are invited to write with us", "emails/invitation.txt"
    elif notice.kind == Notice.Kind.TEAM:
        context |= {"text": notice.details["text"], "url": public_url("home")}
        subject, template = notice.details["subject"], "emails/team.txt"
    elif notice.kind == Notice.Kind.RIGHTS:
        context |= {"words": notice.details["words"], "url": public_url(notice.details["page"], workspace.slug)}
        subject, template = notice.details["headline"], "emails/rights.txt"
    elif notice.kind == Notice.Kind.BILLING:
        context |= {"words": notice.details["words"], "url": notice.details["url"]}
        subject, template = notice.details["headline"], "emails/billing.txt"
    elif notice.kind == Notice.Kind.WEBHOOK:
        context |= {"words": notice.details["words"], "url": notice.details["url"]}
        subject, template = notice.details["headline"], "emails/webhook.txt"
    elif notice.kind == Notice.Kind.MENTION:
        subject, template = notice.details["headline"], "emails/mention.txt"
        context |= {**notice.details, "url": absolute_url(notice.details["path"])}
    else:
        alert = alert_of(described(Notice.objects.in_workspace(notice.workspace_id)).get(pk=notice.pk))
        context["alert"] = alert
        sender = "ContentOpt" if alert.scope == Budget.Scope.PLATFORM else sender
        subject, template = alert.headline, "emails/alert.txt"
    for person in people:
        unsubscribe_url = _unsubscribe_url(person, MAILINGS.get(notice.kind))
        yield EmailMessage(
            subject=f"{sender}: {subject}",
            body=render_to_string(template, {**context, "unsubscribe_url": unsubscribe_url}),
            to=[person.email],
            headers=_headers(notice, person, unsubscribe_url),
        )


def _headers(notice: Notice, person: Recipient, unsubscribe_url: str) -> dict[str, str]:
    """The id is the same on every try, so that a mailbox that gets one twice can tell."""
    message_id = f"{uuid5(notice.pk, str(person.id)).hex}@{urlsplit(settings.PUBLIC_URL).hostname}"
    headers = {"Message-ID": f"<{message_id}>", "Auto-Submitted": "auto-generated"}
    if unsubscribe_url:
        headers |= {
            "List-Unsubscribe": f"<{unsubscribe_url}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        }
    return headers


def public_url(name: str, *arguments: str) -> str:
    return absolute_url(reverse(name, args=arguments))


def absolute_url(path: str) -> str:
    return f"{settings.PUBLIC_URL.rstrip('/')}{path}"


def _unsubscribe_url(person: Recipient, mailing: Mailing | None) -> str:
    """Empty for what everybody concerned gets."""
    if mailing is None:
        return ""
    name = str(person.membership_id) if mailing == Mailing.WEEK else f"{person.membership_id}:{mailing}"
    return public_url("unsubscribe", unsubscribe_signer.sign(name))


def subscriber_of(token: str) -> tuple[UUID, Mailing] | None:
    """The membership that a link in a mail stands for, and what of; None when we never made it."""
    try:
        membership, _, mailing = unsubscribe_signer.unsign(token).partition(":")
    except BadSignature:
        return None
    return UUID(membership), Mailing(mailing or Mailing.WEEK)
