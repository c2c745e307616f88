"""The queue of nights: opened, planned, handed out, written, ended."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from accounts import budgets
from accounts.budgets import Payer
from accounts.models import Workspace
from contentopt import jobs
from contentopt.errors import DomainError
from contentopt.jobs import UNFINISHED, JobState
from contentopt.tenancy import entering
from generation.engine import postponing
from generation.engine.items import give_back
from generation.engine.postponing import Postponed
from generation.engine.writing import NIGHT, router_of, write
from generation.facts import Brief, brief_from, brief_settings, facts_from_json, facts_to_json
from generation.models import BatchPart, CachedText, Night, NightItem
from generation.nights.hours import Hours
from generation.nights.planning import Plan, plan_for

log = structlog.get_logger()

PLAN_NIGHT, WRITE_AHEAD = "generation.tasks.plan_night", "generation.tasks.write_ahead"
DIED = "Writing this stopped the worker several times, so it was set aside."
PLANNING_DIED = "Planning this night stopped the worker several times, so nothing more was written."
CANCELLED = "Cancelled before it was written."
OVER = "The night was over before its turn came."


def hours() -> Hours:
    return Hours(settings.NIGHT_FROM_HOUR, settings.NIGHT_UNTIL_HOUR)


# --- Opening and planning ---------------------------------------------------------------------------------------------


def open_nights(now: datetime | None = None) -> int:
    """Once it is night, one for every workspace that wants it; however often it is called. How many are new."""
    now = now or timezone.now()
    if not settings.NIGHT_IS_ON or not hours().has_begun(now):
        return 0
    date, until = hours().date(now), hours().ends(now)
    has_one = Night.objects.across_workspaces().filter(workspace=OuterRef("pk"), date=date)
    wanting = Workspace.objects.filter(~Exists(has_one), night_cap_nanos__gt=0, closes_at=None)
    nights = [
        Night(workspace=workspace, date=date, until=until, cap_nanos=workspace.night_cap_nanos or 0)
        for workspace in wanting
    ]
    Night.objects.bulk_create(nights, ignore_conflicts=True)
    return len(nights)


def open_now(workspace: Workspace) -> Night:
    """The coming night's, at once and without an end. One that was planned before is planned again, with what its
    budget has left."""
    date, cap = hours().date(timezone.now()), workspace.night_cap_nanos or 0
    with transaction.atomic():
        night, is_new = Night.objects.in_workspace(workspace).get_or_create(
            workspace=workspace, date=date, defaults={"cap_nanos": cap}
        )
        if not is_new:
            change_cap(night, cap)
            Night.objects.in_workspace(workspace).filter(pk=night.pk).exclude(state__in=UNFINISHED).update(
                state=JobState.QUEUED, attempt=0, until=None, published_at=None, failure="", next_run_at=Now()
            )
    night.refresh_from_db()
    return night


def change_cap(night: Night, cap_nanos: int) -> None:
    Night.objects.in_workspace(night.workspace_id).filter(pk=night.pk).update(cap_nanos=cap_nanos)
    budgets.change_night_limit(workspace_id=night.workspace_id, night_id=night.pk, limit_nanos=cap_nanos)


def plan_night(night_id: UUID | str) -> Plan | None:
    """Claim a night, fill its queue and hand out the first items. None when there was nothing to claim."""
    night = jobs.claim(Night, night_id)
    if night is None:
        return None
    with entering(night.workspace_id):
        try:
            with jobs.heartbeat(night):
                plan = plan_for(night.workspace, night)
            _keep_plan(night, plan)
        except jobs.LostLease:
            log.info("lease_lost", night=str(night.pk))
            return None
        hand_out(night.pk)
        return plan


@transaction.atomic
def _keep_plan(night: Night, plan: Plan) -> None:
    jobs.hold_lease(night)
    first = night.items.count()
    entries = CachedText.objects.in_workspace(night.workspace_id).filter(key__in=[item.ask.key for item in plan.items])
    known_until = dict(entries.values_list("key", "expires_at"))
    items = [
        NightItem(
            workspace_id=night.workspace_id,
            night=night,
            position=first + number,
            reason=planned.reason,
            title=planned.title,
            brief=brief_settings(planned.ask.brief),
            facts=facts_to_json(planned.ask.brief.facts),
            key=planned.ask.key,
            known_until=known_until.get(planned.ask.key),
            ceiling_nanos=planned.ceiling_nanos,
            expected_nanos=planned.expected_nanos,
        )
        for number, planned in enumerate(plan.items)
    ]
    # What was cancelled or failed before waits again, as if it were new.
    again = ("position", "known_until", "ceiling_nanos", "expected_nanos", "state", "attempt", "failure")
    NightItem.objects.bulk_create(
        items,
        update_conflicts=True,
        unique_fields=["night", "key"],
        update_fields=[*again, "published_at", "next_run_at", "finished_at"],
    )
    budgets.open_night_budget(workspace_id=night.workspace_id, night_id=night.pk, limit_nanos=night.cap_nanos)
    jobs.finish(
        night,
        JobState.DONE,
        item_count=night.items.count(),
        ceiling_nanos=sum(night.items.values_list("ceiling_nanos", flat=True)),
        expected_nanos=sum(night.items.values_list("expected_nanos", flat=True)),
    )


# --- Writing ----------------------------------------------------------------------------------------------------------


def write_ahead(item_id: UUID | str, *, publish_next: bool = True) -> JobState | None:
    """Claim one item and bring it to an end. None when there was nothing to claim or the lease was lost."""
    item = jobs.claim(NightItem, item_id)
    if item is None:
        return None
    with entering(item.workspace_id):
        try:
            state = _write_claimed(item)
        except jobs.LostLease:
            log.info("lease_lost", item=str(item.pk))
            return None
        if publish_next:
            hand_out(item.night_id)
        return state


def _write_claimed(item: NightItem) -> JobState:
    if _is_written(item):
        jobs.finish(item, JobState.DONE)
        return JobState.DONE
    brief = brief_from(item.brief, facts_from_json(item.facts))
    try:
        with jobs.heartbeat(item):
            written = write(
                brief,
                payer=payer_of(item),
                renew=item.is_renewal,
                is_public=item.is_public,
                later=item if _goes_by_batch(item, brief) else None,
            )
    except Postponed as postponed:
        return postponing.wait(item, postponed.part, or_end_with=CANCELLED)
    except DomainError as error:
        return give_back(item, error)
    jobs.finish(item, JobState.DONE, cost_nanos=written.spent.cost_nanos)
    return JobState.DONE


def _is_written(item: NightItem) -> bool:
    """There is another text than the one to be renewed: a worker died before it could say so, or a person edited it."""
    entry = CachedText.objects.in_workspace(item.workspace_id).filter(key=item.key, is_public=item.is_public).first()
    return item.is_renewal and entry is not None and entry.expires_at != item.known_until


def _goes_by_batch(item: NightItem, brief: Brief) -> bool:
    """At half the price, where a model takes batches. What is in one already stays with it."""
    if item.waits_for_id is not None:
        return True
    return postponing.may_wait(router_of(payer_of(item)).possible(brief, facts_are_known=True))


def payer_of(item: NightItem) -> Payer:
    """The workspace, and the night's own budget. Nobody in person: nobody asked."""
    return Payer(item.workspace_id, NIGHT, run_id=item.night_id)


# --- The queue --------------------------------------------------------------------------------------------------------


def hand_out(night_id: UUID) -> int:
    """Keep a few items of the night out with workers."""
    out = NightItem._base_manager.filter(jobs.is_out(), night_id=night_id).count()
    return jobs.hand_out(NightItem, "night_id", night_id, settings.NIGHT_AT_ONCE - out, WRITE_AHEAD)


def sweep_nights() -> None:
    """Plan what is to be planned, re-send what was lost, end what died or is over. Twice changes nothing more."""
    jobs.fail_exhausted(Night, PLANNING_DIED)
    jobs.fail_exhausted(NightItem, DIED)
    jobs.publish_due(Night, PLAN_NIGHT)
    _let_go(_waiting().filter(~postponing.is_upstream(), night__state=JobState.CANCELLED), CANCELLED)
    _let_go(_waiting().filter(~_is_begun(), night__until__lt=Now()), OVER)
    for night_id in _waiting().order_by().values_list("night_id", flat=True).distinct():
        hand_out(night_id)


def _waiting() -> QuerySet[NightItem]:
    return NightItem._base_manager.filter(state__in=(JobState.QUEUED, JobState.RUNNING))


def _is_begun() -> Q:
    """In a batch, whose answer comes when it comes."""
    return Q(waits_for__isnull=False) & ~Q(waits_for__state=BatchPart.State.FAILED)


def _let_go(items: QuerySet[NightItem], reason: str) -> int:
    """End those that no worker has; never sent, or come back unwritten."""
    no_worker = Q(state=JobState.QUEUED) | Q(state=JobState.RUNNING, lease_until__lt=Now())
    return NightItem._base_manager.filter(no_worker, pk__in=items.values("pk")).update(
        state=JobState.CANCELLED, failure=reason, finished_at=Now(), lease_until=None
    )


def drop_old() -> int:
    """What was in nights long past; the nights themselves stay, with their sums. How many items."""
    before = timezone.now().date() - timedelta(days=settings.NIGHT_KEEP_DAYS)
    return NightItem._base_manager.filter(night__date__lt=before).exclude(state__in=UNFINISHED).delete()[0]


@transaction.atomic
def cancel(night: Night) -> int:
    """Let go what is not begun; what is being written right now still ends. How many texts will not be written."""
    Night.objects.in_workspace(night.workspace_id).filter(pk=night.pk).update(
        state=JobState.CANCELLED, finished_at=Now(), lease_until=None
    )
    night.refresh_from_db()
    return _let_go(_waiting().filter(~postponing.is_upstream(), night=night), CANCELLED)
