"""What a workspace wants to be told, and what it has read."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.db.models import IntegerField
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Now

from accounts.audit import record
from accounts.models import Action, Membership, Notice, Workspace


@transaction.atomic
def set_thresholds(*, workspace: Workspace, percents: list[int]) -> None:
    """Holds for what is passed from now on; what was told is not told again in the same period."""
    Workspace.objects.filter(pk=workspace.pk).update(alert_thresholds=percents)
    record(Action.ALERTS_CHANGED, workspace=workspace, before=workspace.alert_thresholds, after=percents)
    workspace.alert_thresholds = percents


def set_weekly_summary(membership_id: UUID, *, is_wanted: bool) -> None:
    Membership.objects.across_workspaces().filter(pk=membership_id).update(wants_weekly_summary=is_wanted)


def set_mention_mail(membership_id: UUID, *, is_wanted: bool) -> None:
    Membership.objects.across_workspaces().filter(pk=membership_id).update(wants_mention_mail=is_wanted)


def close_notice(notice: Notice) -> None:
    """For everybody, and with it the lower thresholds of the same budget or month; a higher one will show again."""
    about, _, percent = notice.topic.rpartition("/")
    notices = Notice.objects.in_workspace(notice.workspace_id).filter(topic__startswith=f"{about}/", closed_at=None)
    passed = notices.annotate(percent=Cast(KT("details__percent"), IntegerField()))
    passed.filter(percent__lte=int(percent)).update(closed_at=Now())
