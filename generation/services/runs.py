from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Avg, Count, F, Func, Min, Q, QuerySet, Sum, TextField, Value
from django.db.models.functions import Now

from accounts import budgets, quotas
from accounts.budgets import Payer
from accounts.models import ApiKey, User, Workspace
from contentopt.errors import Conflict, DomainError
from contentopt.jobs import UNFINISHED, JobState, queue_again
from generation.announcing import announce_run
from generation.batches import queue
from generation.caching import exact, templates
from generation.caching.asking import cache_key, may_be_public
from generation.engine.items import finish_run, give_places_back, hand_out, items_per_task
from generation.engine.postponing import batch_specs, is_upstream, may_wait
from generation.engine.pricing import hold_nanos, likely_nanos, most_nanos, most_nanos_later
from generation.engine.refusing import ProviderUnavailable
from generation.engine.routes import NOTHING_ON, OFFLINE_ROUTE
from generation.engine.storing import NO_FACTS
from generation.engine.writing import router_of
from generation.facts import Brief, brief_from, facts_hash, fingerprint_from_hash
from generation.families import family_of
from generation.llm.batches import HOURS, TIER
from generation.models import (
    BatchPart,
    Catalogue,
    LlmBatch,
    LlmCall,
    Product,
    Run,
    RunItem,
    Text,
    quota_key,
    quota_key_of_facts,
)
from generation.prompts import facts_block
from generation.routing import Route

BATCH = 1000
NO_BATCHES = (
    "It was to be written later, at half the price, but no model that writes here takes batches. It is written now, at "
    "the usual price."
)
# Until there are calls of our own to average over: seconds one text takes.
USUAL_SECONDS = {"offline": 0.05, "model": 2.5}


@dataclass(frozen=True, slots=True)
class LaterPrice:
    """What the same costs whoever can wait for a batch. Nano-dollars; the ceiling is never exceeded."""

    ceiling_nanos: int
    likely_nanos: int
    model_id: str
    room_nanos: int | None
    hours: int = HOURS

    @property
    def fits_budget(self) -> bool:
        return self.room_nanos is None or self.ceiling_nanos <= self.room_nanos


@dataclass(frozen=True, slots=True)
class Estimate:
    """What writing would do, before it starts. Money in nano-dollars; `ceiling_nanos` is never exceeded.

    `calls` is how many texts are likely to be written by a model: equal facts share one, and so do the variants of a
    family, of which the others are `filled`. A family may turn out to be written one by one, so the ceiling does not
    count on any. `room_nanos` is what the tightest cap leaves; None without a cap. `later` is None where no model
    takes batches. Of the products that are likely to be written, `over_quota` find no place among the `products_left`
    of the plan's month; None without a limit.
    """

    products: int
    known: int
    to_write: int
    calls: int
    filled: int
    ceiling_nanos: int
    likely_nanos: int
    seconds: float
    model_id: str
    escalates_to: str  # the model that is asked where a text fails the check; empty when none is
    room_nanos: int | None
    later: LaterPrice | None
    products_left: int | None
    over_quota: int
    hold_nanos: int  # what the largest of its texts needs room for when it is begun

    @property
    def fits_budget(self) -> bool:
        """It cannot be refused for money, whatever happens."""
        return self.room_nanos is None or self.ceiling_nanos <= self.room_nanos

    @property
    def does_waiting_save(self) -> bool:
        """A cheap model without batches may write first, and a batch be of a dearer one."""
        return self.later is not None and self.later.likely_nanos < self.likely_nanos

    def is_likely_to_fit(self, urgency: str) -> bool:
        return self.room_nanos is None or self.likely_need(urgency) <= self.room_nanos

    @property
    def within_quota(self) -> int:
        """Products that the plan does not refuse; what is known already is among them."""
        return self.products - self.over_quota

    def likely_for(self, urgency: str) -> int:
        return self.later.likely_nanos if self.later and urgency == Run.Urgency.LATER else self.likely_nanos

    def likely_need(self, urgency: str) -> int:
        """What is likely, and beside it what is held while the last text is written."""
        return self.likely_for(urgency) + self.hold_nanos

    def most_nanos(self, urgency: str) -> int:
        return self.later.ceiling_nanos if self.later and urgency == Run.Urgency.LATER else self.ceiling_nanos


def selected(
    products: QuerySet[Product], *, only_missing: bool = False, only_unwritten: bool = False
) -> QuerySet[Product]:
    """The products a run would write: all, those without a text of ours, or those without any, ours or the shop's."""
    if only_missing:
        return products.filter(text=None, original_hash="")
    return products.filter(text=None) if only_unwritten else products


def estimate_run(*, payer: Payer, products: QuerySet[Product], wishes: dict[str, Any]) -> Estimate:
    """`wishes` is everything of a brief but the facts, as `brief_settings` keeps it."""
    return _estimate(payer, brief_from(wishes, NO_FACTS), _batches(products))


def estimate_brief(*, payer: Payer, brief: Brief) -> Estimate:
    size = len(facts_block(brief.facts).encode())
    family = family_of(brief.facts, brief.language)
    known_by = facts_hash(brief.facts)
    return _estimate(
        payer, brief, [[Priced(known_by, size, family.key if family else "", quota_key_of_facts(known_by))]]
    )


class Priced(NamedTuple):
    """What of a product decides its price."""

    facts_hash: str
    facts_bytes: int
    family: str  # empty without one
    quota_key: str | None  # of the sample shop, which does not count


def _estimate(payer: Payer, brief: Brief, batches: Iterable[list[Priced]]) -> Estimate:
    router = router_of(payer)
    quality = router.quality(brief)
    routes = router.possible(brief, facts_are_known=brief.facts is not NO_FACTS)
    if not routes:
        raise ProviderUnavailable(NOTHING_ON, retry_after=60)
    likeliest = routes[0]
    families = _Families(payer.workspace_id, brief, quality)
    batched = batch_specs(likeliest)[:1] if may_wait(routes) else ()
    total = known = ceiling = likely = calls = hold = later_ceiling = later_likely = 0
    seen: set[str] = set()
    places = _Places(payer.workspace_id)
    for batch in batches:
        keys = [cache_key(fingerprint_from_hash(brief, each.facts_hash), quality) for each in batch]
        products = dict(zip(keys, batch, strict=True))
        new = products.keys() - exact.known_keys(payer.workspace_id, keys, may_be_public=may_be_public(brief))
        total += len(batch)
        known += sum(key not in new for key in keys)
        unseen = [products[key] for key in products if key in new - seen]
        ceiling += sum(most_nanos(brief, routes, each.facts_bytes) for each in unseen)
        written = families.to_write(unseen)
        calls += len(written)
        places.take(written)
        likely += sum(likely_nanos(brief, likeliest.specs[0], each.facts_bytes) for each in written)
        hold = max([hold, *(hold_nanos(brief, likeliest.specs[0], each.facts_bytes) for each in written)])
        for spec in batched:
            later_ceiling += sum(most_nanos_later(brief, routes, each.facts_bytes) for each in unseen)
            later_likely += sum(likely_nanos(brief, spec, each.facts_bytes, TIER) for each in written)
        seen |= new
    room = budgets.room(payer)
    return Estimate(
        products=total,
        known=known,
        to_write=total - known,
        calls=calls,
        filled=len(seen) - calls,
        ceiling_nanos=ceiling,
        likely_nanos=likely,
        seconds=_seconds(likeliest, calls),
        model_id=likeliest.specs[0].model_id,
        escalates_to=likeliest.stages[1].specs[0].model_id if len(likeliest.stages) > 1 else "",
        room_nanos=room,
        later=LaterPrice(later_ceiling, later_likely, batched[0].model_id, room) if batched else None,
        products_left=places.left,
        over_quota=places.over,
        hold_nanos=hold,
    )


class _Places:
    """Which of the products to be written take a place of the plan's month."""

    def __init__(self, workspace_id: UUID) -> None:
        self.workspace_id = workspace_id
        self.left = quotas.use_of(workspace_id).left
        self.taken: set[str] = set()

    def take(self, products: list[Priced]) -> None:
        if self.left is not None:
            keys = [each.quota_key for each in products if each.quota_key]
            self.taken |= quotas.uncounted(self.workspace_id, keys)

    @property
    def over(self) -> int:
        return 0 if self.left is None else max(len(self.taken) - self.left, 0)


class _Families:
    """Which families have a text by the time it is a product's turn."""

    def __init__(self, workspace_id: UUID, brief: Brief, quality: str) -> None:
        self.workspace_id = workspace_id
        self.brief = brief
        self.quality = quality
        self.served: set[str] = set()

    def to_write(self, products: list[Priced]) -> list[Priced]:
        """Those of the products, in their order, that a model has to be asked for."""
        keys = {each.family: self.key(each.family) for each in products if each.family}
        usable = templates.usable_keys(self.workspace_id, list(keys.values()))
        written = []
        for each in products:
            key = keys.get(each.family, "")
            if not key or not usable.get(key, True):
                written.append(each)
            elif key not in usable and key not in self.served:
                written.append(each)
                self.served.add(key)
        return written

    def key(self, family: str) -> str:
        return cache_key(fingerprint_from_hash(self.brief, family), self.quality)


def _batches(products: QuerySet[Product]) -> Iterator[list[Priced]]:
    columns = products.order_by("row_number").values_list(
        "facts_hash", "facts_bytes", "family", "catalogue__is_sample", "key"
    )
    rows = (
        Priced(known_by, size, family, quota_key(is_sample, key, known_by))
        for known_by, size, family, is_sample, key in columns.iterator(chunk_size=BATCH)
    )
    while batch := list(islice(rows, BATCH)):
        yield batch


def _seconds(route: Route, to_write: int) -> float:
    # How quick a model is, is no workspace's secret.
    recent = LlmCall.objects.across_workspaces().filter(
        model_id=route.specs[0].model_id, outcome=LlmCall.Outcome.ACCEPTED, is_batched=False
    )
    average = recent.order_by("-created_at")[:200].aggregate(ms=Avg("latency_ms"))["ms"]
    usual = USUAL_SECONDS["offline" if route is OFFLINE_ROUTE else "model"]
    each = max((average or 0) / 1000, 0.02) if average is not None else usual
    at_once: int = min(settings.RUN_WINDOW, settings.BULK_WORKERS) * items_per_task()
    return max(to_write / at_once, min(to_write, 1)) * each


@transaction.atomic
def start_run(
    *,
    workspace: Workspace,
    products: QuerySet[Product],
    wishes: dict[str, Any],
    created_by: User | None = None,
    api_key: ApiKey | None = None,
    catalogue: Catalogue | None = None,
    cap_nanos: int | None = None,
    urgency: str = Run.Urgency.NOW,
    idempotency_key: str | None = None,
    request_hash: str = "",
) -> Run:
    """Create the run and its items, which are the queue, and wake the workers after commit.

    One that is not urgent goes by batch; where no model takes any it is written now, and its remark says so. The run
    has a budget of its own: the cap if one is given, else the most it can cost as shown before it started.
    """
    payer = Payer(
        workspace.pk,
        "run",
        user_id=created_by.pk if created_by else None,
        api_key_id=api_key.pk if api_key else None,
    )
    estimate = estimate_run(payer=payer, products=products, wishes=wishes)
    if not estimate.products:
        raise DomainError(
            "There is nothing to write: no product is selected, or all of them have a text already.", code="no_products"
        )
    is_later = urgency == Run.Urgency.LATER and estimate.later is not None
    ceiling = estimate.most_nanos(urgency)
    run = Run.objects.create(
        workspace=workspace,
        catalogue=catalogue,
        brief=wishes,
        urgency=Run.Urgency.LATER if is_later else Run.Urgency.NOW,
        remark=NO_BATCHES if urgency == Run.Urgency.LATER and not is_later and ceiling else "",
        ceiling_nanos=ceiling,
        cap_nanos=cap_nanos,
        created_by=created_by,
        api_key=api_key,
        idempotency_key=idempotency_key,
        request_hash=request_hash,
    )
    run.item_count = _create_items(run, products)
    run.save(update_fields=["item_count"])
    limit = ceiling if cap_nanos is None else min(cap_nanos, ceiling)
    budgets.open_run_budget(workspace_id=workspace.pk, run_id=run.pk, limit_nanos=limit)
    transaction.on_commit(lambda: hand_out(run.pk, settings.RUN_WINDOW), robust=True)
    return run


_CREATE_ITEMS = """
INSERT INTO generation_runitem
    (id, workspace_id, run_id, product_id, position, state, attempt, failure, next_run_at, created_at)
SELECT gen_random_uuid(), %s, %s, chosen.pk, row_number() OVER () - 1, 'queued', 0, '',
       statement_timestamp(), statement_timestamp()
  FROM ({products}) AS chosen
"""


def _create_items(run: Run, products: QuerySet[Product]) -> int:
    """One statement in the database: a hundred thousand items would take a request half a minute row by row."""
    chosen, values = products.order_by("catalogue", "row_number").values("pk").query.sql_with_params()
    with connection.cursor() as cursor:
        # Django's own SQL goes in; its values stay parameters.
        cursor.execute(_CREATE_ITEMS.format(products=chosen), [run.workspace_id, run.pk, *values])
        created: int = cursor.rowcount
        return created


def pause_run(run: Run) -> None:
    """Items being written right now still end; the others wait."""
    with transaction.atomic():
        _change_state(run, Run.State.RUNNING, Run.State.PAUSED)
        run.items.filter(state=JobState.QUEUED).update(state=JobState.PAUSED)


def resume_run(run: Run) -> None:
    with transaction.atomic():
        _change_state(run, Run.State.PAUSED, Run.State.RUNNING)
        run.items.filter(state=JobState.PAUSED).update(state=JobState.QUEUED, published_at=None, next_run_at=Now())
    if not finish_run(run.pk):
        hand_out(run.pk, settings.RUN_WINDOW)


def cancel_run(run: Run) -> None:
    """What is written stays; what was not begun is let go, at no cost. A provider that has a batch of it is told to
    stop; what it has written by then is paid for, and kept."""
    with transaction.atomic():
        _change_state(run, Run.OPEN, Run.State.CANCELLED, finished_at=Now())
        run.items.filter(is_upstream(), state=JobState.PAUSED).update(state=JobState.QUEUED)
        waiting = run.items.filter(~is_upstream(), state__in=(JobState.QUEUED, JobState.PAUSED))
        waited = list(waiting.exclude(waits_for=None).select_related("product__catalogue"))
        waiting.update(state=JobState.CANCELLED, failure="Cancelled before it was begun.", finished_at=Now())
        queue.cancel(run)
        announce_run(run.pk)
    give_places_back(run.workspace_id, waited)


@transaction.atomic
def requeue_items(items: QuerySet[RunItem]) -> int:
    """Queue what failed or was cancelled among these items; the sweeper hands them out."""
    ended = items.filter(state__in=(JobState.FAILED, JobState.CANCELLED, JobState.PAUSED))
    runs = set(ended.values_list("run_id", flat=True))
    again = queue_again(ended, waits_for=None)
    Run.objects.across_workspaces().filter(pk__in=runs).update(state=Run.State.RUNNING, finished_at=None)
    return again


def _change_state(run: Run, before: str | tuple[str, ...], after: str, **columns: Any) -> None:
    allowed = (before,) if isinstance(before, str) else before
    changed = Run.objects.in_workspace(run.workspace_id).filter(pk=run.pk, state__in=allowed)
    if not changed.update(state=after, **columns):
        run.refresh_from_db()
        raise Conflict(f"This run is {run.get_state_display().lower()}, so it cannot be {after}.")
    run.refresh_from_db()


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is, and from which layers its texts came. `seconds_left` is None when it cannot be told yet."""

    total: int
    waiting: int
    running: int
    paused: int
    done: int
    failed: int
    cancelled: int
    sources: dict[str, int]
    cost_nanos: int
    seconds_left: float | None

    @property
    def ended(self) -> int:
        return self.done + self.failed + self.cancelled

    @property
    def known(self) -> int:
        """Texts that no model was called for."""
        return sum(count for source, count in self.sources.items() if source != Text.Source.MODEL)


def run_progress(run: Run) -> Progress:
    counts = dict(run.items.values_list("state").annotate(count=Count("pk")).order_by())
    written = Text.objects.in_workspace(run.workspace_id).filter(run_item__run=run)
    cost = LlmCall.objects.in_workspace(run.workspace_id).filter(run_item__run=run).aggregate(sum=Sum("cost_nanos"))
    progress = Progress(
        total=run.item_count,
        waiting=counts.get(JobState.QUEUED, 0),
        running=counts.get(JobState.RUNNING, 0),
        paused=counts.get(JobState.PAUSED, 0),
        done=counts.get(JobState.DONE, 0),
        failed=counts.get(JobState.FAILED, 0),
        cancelled=counts.get(JobState.CANCELLED, 0),
        sources=dict(written.order_by().values_list("source").annotate(count=Count("pk"))),
        cost_nanos=cost["sum"] or 0,
        seconds_left=None,
    )
    return replace(progress, seconds_left=_seconds_left(run, progress))


def _seconds_left(run: Run, progress: Progress) -> float | None:
    """From the pace of the last minute's items, so that a pause or a crash does not spoil it."""
    left = progress.waiting + progress.running
    if not left or run.state != Run.State.RUNNING:
        return None
    ended = run.items.filter(finished_at__isnull=False).order_by("-finished_at")
    times = [moment for moment in ended.values_list("finished_at", flat=True)[:50] if moment]
    if len(times) < 2:
        return None
    pace = (times[0] - times[-1]).total_seconds() / (len(times) - 1)
    return pace * left


@dataclass(frozen=True, slots=True)
class BatchProgress:
    """What of a run is with a provider, since when, and what waiting for it has saved. Nano-dollars."""

    gathering: int
    sent: int
    since: datetime | None
    is_cancelling: bool
    saved_nanos: int

    @property
    def until(self) -> datetime | None:
        """When the provider gives up on what it has not written."""
        return self.since and self.since + timedelta(hours=HOURS)


def batch_progress(run: Run) -> BatchProgress | None:
    """None for a run that does not wait for batches."""
    if run.urgency != Run.Urgency.LATER:
        return None
    unfinished = run.items.filter(state__in=UNFINISHED)
    batches = run.batches.filter(stage__in=LlmBatch.AT_THE_PROVIDER).aggregate(
        since=Min("submitting_at"), cancelling=Count("pk", Q(cancel_asked_at__isnull=False))
    )
    saved = BatchPart.objects.in_workspace(run.workspace_id).filter(batch__run=run)
    return BatchProgress(
        gathering=unfinished.filter(waits_for__state=BatchPart.State.WAITING).count(),
        sent=unfinished.filter(waits_for__state=BatchPart.State.SENT).count(),
        since=batches["since"],
        is_cancelling=bool(batches["cancelling"]),
        saved_nanos=saved.aggregate(sum=Sum("saved_nanos"))["sum"] or 0,
    )


@dataclass(frozen=True, slots=True)
class Delay:
    """Items that came back unwritten and are tried again by themselves: how many, and why the last one did."""

    items: int
    reason: str


def delay_of(run: Run) -> Delay | None:
    """None while nothing has to be tried again, and for what waits for a batch as it should."""
    came_back = run.items.filter(state=JobState.QUEUED, waits_for=None).exclude(failure="")
    last = came_back.order_by("-next_run_at").first()
    return Delay(came_back.count(), last.failure) if last else None


@dataclass(frozen=True, slots=True)
class Failure:
    """Why products of a run have no text; `items` are the first of them."""

    reason: str
    count: int
    items: list[RunItem]

    @property
    def more(self) -> int:
        return self.count - len(self.items)


# A reason without its figures: what was left of a cap differs from text to text.
_KIND = Func(
    F("failure"), Value(r"\d[\d.,]*"), Value(""), Value("g"), function="regexp_replace", output_field=TextField()
)


def failures_of(run: Run, most: int) -> list[Failure]:
    """By kind of reason, the most frequent first, with so many of the items in all."""
    failed = failed_items(run).annotate(kind=_KIND)
    shown: dict[str, list[Any]] = {}
    for item in failed[:most]:
        shown.setdefault(item.kind, []).append(item)
    counts = failed.filter(kind__in=shown).order_by().values_list("kind").annotate(count=Count("pk"))
    return [Failure(shown[kind][0].failure, count, shown[kind]) for kind, count in counts.order_by("-count", "kind")]


def failed_items(run: Run) -> QuerySet[RunItem]:
    return run.items.filter(Q(state=JobState.FAILED)).select_related("product").order_by("position")
