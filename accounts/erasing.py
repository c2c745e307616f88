"""A workspace that was deleted goes for good, once its grace is over: rows of every table, files, names in Valkey.

Generic over all models with a workspace, so a table that is added tomorrow goes as well. In batches, each a transaction
of its own that names the lease; done twice it changes nothing, so whoever takes over goes on where it stopped.

What stays is the platform's side of the books: what models were paid for, and the holds behind it, pass to the
platform's own workspace without any id or word of who or what it was for (`KEPT`). Without them the ledger's sum would
no longer be what providers served, the day budgets of the platform would differ from their holds, and the daily
comparison would raise an alarm for every workspace that leaves. Free answers and all sums of them go.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from graphlib import TopologicalSorter
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.core.cache import cache
from django.core.mail import EmailMessage, get_connection
from django.db import models, transaction
from django.db.models.functions import Now
from django.template.loader import render_to_string
from django.utils import timezone
from django_redis import get_redis_connection
from redis.exceptions import RedisError

from accounts.archiving import tenant_models
from accounts.audit import record
from accounts.metering import SET_ASIDE, drain_free_answers
from accounts.models import (
    PLATFORM_WORKSPACE_ID,
    Action,
    Deletion,
    Membership,
    Reservation,
    Role,
    UsageEntry,
    Workspace,
)
from accounts.notices import one_line, tell_staff
from accounts.retiring import retire, retire_on_commit
from accounts.signals import workspace_erasing
from contentopt import jobs
from contentopt.errors import DomainError
from contentopt.jobs import JobState
from contentopt.tenancy import across_workspaces, entering

log = structlog.get_logger()

ERASE_WORKSPACE = "accounts.tasks.erase_workspace"
GRACE = timedelta(days=14)
BATCH = 500
AGAIN_SECONDS = 300  # when something outside, such as Stripe or Valkey, is away
EXHAUSTED_SECONDS = 3600
SCANNED_AT_ONCE = 1_000

# Models whose rows stay for the books, with the columns that are emptied in them. Apps above add theirs.
KEPT: dict[type[models.Model], Mapping[str, Any]] = {
    UsageEntry: {"user_id": None, "api_key_id": None, "run_id": None, "text_id": None, "recorded_at": Now()},
    Reservation: {"entry": {}},
}
# A ledger line is kept if it was paid: it has a hold behind it.
PAID = models.Q(reservation_id__isnull=False)
# The last of it: without them nobody could tell that there is something to go on with, nor whom to tell.
LAST: frozenset[type[models.Model]] = frozenset({Deletion, Membership})


# --- The job ----------------------------------------------------------------------------------------------------------


def erase_workspace(deletion_id: UUID | str) -> JobState | None:
    """Claim a deletion that is due and bring it to its end. None when there was nothing to claim, or the lease was
    lost."""
    deletion = jobs.claim(Deletion, deletion_id)
    if deletion is None:
        return None
    with entering(deletion.workspace_id):
        return _erase(deletion)


def _erase(deletion: Deletion) -> JobState | None:
    workspace_id = deletion.workspace_id
    try:
        with jobs.heartbeat(deletion):
            _erase_claimed(deletion)
    except jobs.LostLease:
        log.info("lease_lost", deletion=str(deletion.pk))
        return None
    except (DomainError, RedisError) as error:
        log.warning("erasing_postponed", workspace=str(workspace_id), error=str(error))
        return jobs.give_back(deletion, seconds=AGAIN_SECONDS, failure=str(error)[:500], counts=False)
    log.warning("workspace_erased", workspace=str(workspace_id))
    return JobState.DONE


def erase_at_once(workspace: Workspace) -> None:
    """Without a grace: for a workspace that was made to be thrown away, by a benchmark or a test."""
    now = timezone.now()
    deletion = Deletion.objects.create(workspace=workspace, erases_at=now, next_run_at=now)
    erase_workspace(deletion.pk)


def _erase_claimed(deletion: Deletion) -> None:
    workspace = deletion.workspace
    if Reservation.objects.in_workspace(workspace).filter(state__in=Reservation.OPEN).exists():
        raise DomainError("A model is still being waited for.")
    # Outside of any transaction: billing ends the subscription at Stripe. Whoever cannot do its part now raises.
    workspace_erasing.send(Workspace, workspace=workspace)
    drain_free_answers()
    for model in order_of_erasure():
        if model in KEPT:
            _pass_on(model, deletion)
        _erase_rows(model, deletion)
    _forget_names(workspace.pk)
    owners = _owners(workspace)
    _erase_last(deletion)
    retire()
    _forget_names(workspace.pk)
    _tell(workspace, owners)


def order_of_erasure() -> list[type[models.Model]]:
    """What would go with a row goes before it, so that no batch takes more than itself along. References that are
    emptied by a deletion need no order."""
    tables = [model for model in tenant_models() if model not in LAST]
    before: TopologicalSorter[type[models.Model]] = TopologicalSorter({model: set() for model in tables})
    for model in tables:
        for field in model._meta.concrete_fields:
            target = field.related_model
            is_emptied = field.remote_field is not None and field.remote_field.on_delete is models.SET_NULL
            if target in tables and target is not model and not is_emptied:
                before.add(target, model)
    return list(before.static_order())


def _rows(model: type[models.Model], workspace_id: UUID) -> models.QuerySet[Any]:
    rows: Any = model._default_manager
    found: models.QuerySet[Any] = rows.in_workspace(workspace_id).order_by()
    return found


def _erase_rows(model: type[models.Model], deletion: Deletion) -> None:
    while ids := list(_rows(model, deletion.workspace_id).values_list("pk", flat=True)[:BATCH]):
        with transaction.atomic():
            jobs.hold_lease(deletion)
            _rows(model, deletion.workspace_id).filter(pk__in=ids).delete()
            retire_on_commit()


def _pass_on(model: type[models.Model], deletion: Deletion) -> None:
    """To the platform, without whose it was. A ledger line is recorded anew by that, so the sums follow by themselves:
    rolling up looks for what was recorded since."""
    kept = _rows(model, deletion.workspace_id)
    if model is UsageEntry:
        kept = kept.filter(PAID)
    while ids := list(kept.values_list("pk", flat=True)[:BATCH]):
        with transaction.atomic():
            jobs.hold_lease(deletion)
            rows = _rows(model, deletion.workspace_id).filter(pk__in=ids)
            with across_workspaces():  # out of one, into the platform's
                rows.update(workspace_id=PLATFORM_WORKSPACE_ID, **KEPT[model])


@transaction.atomic
def _erase_last(deletion: Deletion) -> None:
    """The workspace itself, with what it was still needed for; the platform notes that it is gone."""
    jobs.hold_lease(deletion)
    record(
        Action.WORKSPACE_DELETED,
        workspace=PLATFORM_WORKSPACE_ID,
        target=deletion.workspace,
        asked_for_at=deletion.created_at.date(),
        asked_for_by=deletion.requested_by_id,
    )
    Workspace.objects.filter(pk=deletion.workspace_id).delete()
    retire_on_commit()


def _owners(workspace: Workspace) -> list[str]:
    owners = Membership.objects.in_workspace(workspace).filter(role=Role.OWNER, user__is_active=True)
    return list(owners.values_list("user__email", flat=True))


def _tell(workspace: Workspace, owners: list[str]) -> None:
    """The one mail that no notice can carry, for there is no row left that could. A mail server that is away must not
    keep what was promised to be gone, so this is tried once."""
    name = one_line(workspace.name)
    body = render_to_string("emails/erased.txt", {"workspace": name})
    mails = [EmailMessage(f"{name}: everything is deleted", body, to=[owner]) for owner in owners]
    try:
        with get_connection() as server:
            server.send_messages(mails)
    except OSError as error:
        log.warning("farewell_not_mailed", error=type(error).__name__)


# --- Valkey -----------------------------------------------------------------------------------------------------------


def _forget_names(workspace_id: UUID) -> None:
    """Names carry the workspace, and none may stay that does. Raises RedisError."""
    redis = get_redis_connection("default")
    for name in redis.scan_iter(match=f"*{workspace_id}*", count=SCANNED_AT_ONCE):
        redis.unlink(name)
    # Lines for the ledger that nobody could read; those that one could are in it, or were refused by it.
    aside = cache.make_key(SET_ASIDE)
    for line_id, line in redis.xrange(aside):
        if str(workspace_id).encode() in b"".join(line.values()):
            redis.xdel(aside, line_id)


# --- The queue --------------------------------------------------------------------------------------------------------


def sweep_deletions() -> None:
    """Tell workers of what is due. A deletion that kept stopping its worker is tried again every hour, and staff are
    told: it was promised, so it never ends as failed."""
    exhausted = Deletion.objects.across_workspaces().filter(jobs.due(), attempt__gte=settings.JOB_MAX_ATTEMPTS)
    for deletion in exhausted:
        retried = Deletion.objects.in_workspace(deletion.workspace_id).filter(jobs.due(), pk=deletion.pk)
        later = Now() + timedelta(seconds=EXHAUSTED_SECONDS)
        if retried.update(state=JobState.QUEUED, attempt=0, lease_until=None, next_run_at=later, published_at=None):
            tell_staff(
                topic=f"erasing/{deletion.pk}",
                subject="a workspace could not be deleted",
                text="Deleting a workspace stopped its worker several times. It is tried again every hour.",
                path="/staff/",
            )
    jobs.publish_due(Deletion, ERASE_WORKSPACE)
