"""Thresholds of budgets and quota that were passed: in which words they are told, whom they concern, which one the
app shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.contrib.humanize.templatetags.humanize import intcomma
from django.db.models import (
    BigIntegerField,
    Case,
    DateTimeField,
    DecimalField,
    F,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    UUIDField,
    Value,
    When,
)
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Coalesce, Now
from django.db.models.lookups import GreaterThanOrEqual

from accounts.dollars import NANOS_PER_DOLLAR, round_usd, usd
from accounts.models import (
    PLATFORM_WORKSPACE_ID,
    ApiKey,
    Budget,
    Membership,
    Notice,
    Role,
    UsagePeriod,
    User,
    Workspace,
)

MANAGERS = (Role.OWNER, Role.ADMIN)
ALERTS = (Notice.Kind.BUDGET, Notice.Kind.QUOTA)
QUOTA = "quota"
FIGURE = DecimalField(max_digits=30, decimal_places=0)  # of a budget or of products, times a hundred
LOWEST_SHOWN = 50  # per cent; lower thresholds are told by mail only
RUN_SHOWN_FOR = timedelta(days=1)  # its budget has no end

# What no longer happens once it is used up.
STOPS: dict[str, str] = {
    QUOTA: "products not yet written this month are refused",
    Budget.Scope.WORKSPACE: "new texts are refused",
    Budget.Scope.MEMBER: "new texts of this member are refused",
    Budget.Scope.KEY: "new texts for this key are refused",
    Budget.Scope.RUN: "the rest of the run is not written",
    Budget.Scope.PLATFORM: "no new text is written for anyone",
}


@dataclass(frozen=True, slots=True)
class Alert:
    """A threshold that was passed, in words and figures."""

    id: UUID
    scope: str  # of the budget, or "quota"
    percent: int
    subject: str
    used: str
    limit: str
    resets_at: datetime | None

    @property
    def is_used_up(self) -> bool:
        return self.percent >= 100

    @property
    def tone(self) -> str:
        return "bad" if self.is_used_up else "warning" if self.percent >= 80 else "info"

    @property
    def headline(self) -> str:
        if self.is_used_up:
            return f"{self.subject[0].upper()}{self.subject[1:]} is used up"
        return f"{self.percent} % of {self.subject} is used"

    @property
    def consequence(self) -> str:
        until = f" until {self.resets_at:%-d %B}, 00:00 UTC" if self.resets_at else ""
        stops = f"{STOPS[self.scope]}{until}; texts that are known already are still served, free."
        return f"{stops[0].upper()}{stops[1:]}" if self.is_used_up else f"When it is used up, {stops}"


def tell_staff(*, topic: str, subject: str, text: str, path: str) -> None:
    """By mail, once for a topic. `path` is where in the admin to see to it."""
    details = {"subject": subject, "text": text, "path": path}
    notice = Notice(workspace_id=PLATFORM_WORKSPACE_ID, kind=Notice.Kind.STAFF, topic=topic, details=details)
    Notice.objects.bulk_create([notice], ignore_conflicts=True)


def tell_person(*, workspace: Workspace, user_id: UUID, topic: str, subject: str, text: str) -> None:
    """One person, by mail, once for a topic: also somebody who is no member any more."""
    details = {"user": str(user_id), "subject": one_line(subject), "text": text}
    notice = Notice(workspace=workspace, kind=Notice.Kind.TEAM, topic=topic, details=details)
    Notice.objects.bulk_create([notice], ignore_conflicts=True)


def one_line(text: str) -> str:
    """People choose names; a line break in one must not start a header or a paragraph of ours."""
    return " ".join(text.split())


def described(notices: QuerySet[Notice]) -> QuerySet[Any]:
    """With the columns that `alert_of` reads, so that a list costs one query. Names of what is gone are empty."""
    members = User.objects.filter(pk=OuterRef("scope_id"))
    keys = ApiKey.objects.across_workspaces().filter(pk=OuterRef("scope_id"), workspace=OuterRef("workspace"))
    budgets = Budget.objects.across_workspaces().filter(pk=OuterRef("budget_id"), workspace=OuterRef("workspace"))
    return notices.annotate(
        percent=Cast(KT("details__percent"), IntegerField()),
        scope=KT("details__scope"),
        scope_id=Cast(KT("details__scope_id"), UUIDField()),
        budget_id=Cast(KT("details__budget"), BigIntegerField()),
        resets_at=Cast(KT("details__resets_at"), DateTimeField()),
        member_email=Subquery(members.values("email")),
        key_name=Subquery(keys.values("name")),
        budget_start=Subquery(budgets.values("period_start")),
    )


def alert_of(notice: Any) -> Alert:
    """In words, of a notice that is `described`."""
    is_quota = notice.kind == Notice.Kind.QUOTA
    figures = notice.details
    return Alert(
        id=notice.pk,
        scope=QUOTA if is_quota else notice.scope,
        percent=notice.percent,
        subject=_subject(notice, QUOTA if is_quota else notice.scope),
        used=intcomma(figures["used"]) if is_quota else round_usd(figures["spent_nanos"]),
        limit=f"{intcomma(figures['limit'])} products" if is_quota else _dollars(figures["limit_nanos"]),
        resets_at=notice.resets_at,
    )


def _dollars(nanos: int) -> str:
    """To the cent; exactly where that would say too little."""
    return f"${Decimal(nanos).scaleb(-9):,.2f}" if nanos >= NANOS_PER_DOLLAR // 10 else usd(nanos)


def _subject(notice: Any, scope: str) -> str:
    last_day = notice.resets_at - timedelta(days=1) if notice.resets_at else None
    month = f"{last_day:%B}" if last_day else ""
    if scope == Budget.Scope.MEMBER:
        return f"the cap of {notice.member_email or 'a member who is gone by now'} for {month}"
    if scope == Budget.Scope.KEY:
        key = f"the API key “{one_line(notice.key_name)}”" if notice.key_name else "an API key that is deleted by now"
        return f"the cap of {key} for {month}"
    if scope == Budget.Scope.RUN:
        return f"the cap of {run_name(notice.budget_start)}"
    if scope == Budget.Scope.PLATFORM:
        return f"the platform's budget for {last_day:%-d %B}"
    return f"the product quota for {month}" if scope == QUOTA else f"the budget for {month}"


def run_name(began: datetime | None) -> str:
    return f"the run of {began:%-d %B, %H:%M} UTC" if began else "a run"


def shown_alert(workspace: Workspace, membership: Membership) -> Alert | None:
    """The highest threshold that is passed and that nobody has closed, with the figures of now. One query.

    Everybody sees the workspace's own; a cap of a member, key or run is for managers and the member it limits. What a
    higher limit or a larger plan has put right is shown no more.
    """
    budget = Budget.objects.in_workspace(workspace).filter(pk=OuterRef("budget_id"))
    month = UsagePeriod.objects.in_workspace(workspace).filter(period_end=OuterRef("resets_at"))
    told_limit = Coalesce(KT("details__limit_nanos"), KT("details__limit"))
    is_current = Q(resets_at__gt=Now()) | Q(resets_at=None, created_at__gt=Now() - RUN_SHOWN_FOR)
    is_reached = Q(GreaterThanOrEqual(F("used_now") * 100, F("limit_now") * F("percent"))) | Q(
        limit_now=F("told_limit")
    )
    notices = described(Notice.objects.in_workspace(workspace).filter(kind__in=ALERTS, closed_at=None))
    if membership.role not in MANAGERS:
        notices = notices.filter(
            Q(kind=Notice.Kind.QUOTA) | Q(scope=Budget.Scope.WORKSPACE) | Q(scope_id=membership.user_id)
        )
    notice = (
        notices.annotate(
            used_now=_figure(budget.values("spent_nanos"), month.values("products_used")),
            limit_now=_figure(budget.values("limit_nanos"), Value(workspace.plan.products_per_month)),
            told_limit=Cast(told_limit, FIGURE),
        )
        .filter(is_current, is_reached, percent__gte=LOWEST_SHOWN)
        .order_by("-percent", "-created_at")
        .first()
    )
    if notice is None:
        return None
    used, limit = int(notice.used_now), int(notice.limit_now)
    notice.details |= {"spent_nanos": used, "used": used, "limit_nanos": limit, "limit": limit}
    return alert_of(notice)


def _figure(of_budget: QuerySet[Any], of_quota: Any) -> Case:
    quota = of_quota if isinstance(of_quota, Value) else Subquery(of_quota)
    return Case(When(kind=Notice.Kind.BUDGET, then=Cast(Subquery(of_budget), FIGURE)), default=Cast(quota, FIGURE))
