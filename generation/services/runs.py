from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Avg, Count, Q, QuerySet, Sum
from django.db.models.functions import Now

from accounts.models import User, Workspace
from contentopt.errors import Conflict, DomainError
from contentopt.jobs import JobState
from generation.caching import exact
from generation.engine.items import finish_run, hand_out
from generation.engine.routes import Route, choose_route
from generation.engine.storing import NO_FACTS, brief_from
from generation.engine.writing import CHECKED_ATTEMPTS, ProviderUnavailable
from generation.facts import Brief, fingerprint_from_hash
from generation.llm.prices import ceiling_nanos
from generation.models import Catalogue, LlmCall, Product, Run, RunItem, Text
from generation.prompts import max_output_tokens, prompt_bytes

BATCH = 1000
# Until there are calls of our own to average over: seconds one text takes.
USUAL_SECONDS = {"offline": 0.05, "model": 2.5}
# What a typical text uses of its ceiling; for the "likely" figure beside the "at most" one.
USUAL_INPUT_TOKENS_PER_BYTE = 0.25
USUAL_OUTPUT_SHARE = 0.4


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run would do, before it starts. Money in nano-dollars; `ceiling_nanos` is never exceeded."""

    products: int
    known: int
    to_write: int
    ceiling_nanos: int
    likely_nanos: int
    seconds: float
    model_id: str


def selected(
    products: QuerySet[Product], *, only_missing: bool = False, only_unwritten: bool = False
) -> QuerySet[Product]:
    """The products a run would write: all, those without a text of ours, or those without any, ours or the shop's."""
    if only_missing:
        return products.filter(text=None, original_hash="")
    return products.filter(text=None) if only_unwritten else products


def estimate_run(*, workspace: Workspace, products: QuerySet[Product], wishes: dict[str, Any]) -> Estimate:
    """`wishes` is everything of a brief but the facts, as `brief_settings` keeps it."""
    brief = brief_from(wishes, NO_FACTS)
    route = choose_route()
    if not route.specs:
        raise ProviderUnavailable(
            "Every model is switched off at the moment, so nothing can be written.", retry_after=60
        )
    total = known = ceiling = likely = 0
    for batch in _batches(products):
        keys = {exact.cache_key(fingerprint_from_hash(brief, hash_), route.model_ids): size for hash_, size in batch}
        total += len(batch)
        new = set(keys) - exact.known_keys(workspace.pk, list(keys))
        known += len(batch) - len(new)
        ceiling += sum(_ceiling(brief, route, keys[key]) for key in new)
        likely += sum(_likely(brief, route, keys[key]) for key in new)
    to_write = total - known
    return Estimate(total, known, to_write, ceiling, likely, _seconds(route, to_write), route.specs[0].model_id)


def _batches(products: QuerySet[Product]) -> Iterator[list[tuple[str, int]]]:
    rows = iter(products.order_by("row_number").values_list("facts_hash", "facts_bytes").iterator(chunk_size=BATCH))
    while batch := list(islice(rows, BATCH)):
        yield batch


def _ceiling(brief: Brief, route: Route, facts_bytes: int) -> int:
    """Every model of the route tried in turn, each with its second attempt: no run can cost more."""
    size = prompt_bytes(facts_bytes) + len((brief.voice + brief.instructions + " ".join(brief.keywords)).encode())
    prices = [spec.price for spec in route.specs if spec.price]
    return CHECKED_ATTEMPTS * sum(ceiling_nanos(size, max_output_tokens(brief), price) for price in prices)


def _likely(brief: Brief, route: Route, facts_bytes: int) -> int:
    price = route.specs[0].price
    if price is None:
        return 0
    tokens_in = int(prompt_bytes(facts_bytes) * USUAL_INPUT_TOKENS_PER_BYTE)
    return ceiling_nanos(tokens_in, int(max_output_tokens(brief) * USUAL_OUTPUT_SHARE), price)


def _seconds(route: Route, to_write: int) -> float:
    recent = LlmCall._base_manager.filter(model_id=route.specs[0].model_id, outcome=LlmCall.Outcome.ACCEPTED)
    average = recent.order_by("-created_at")[:200].aggregate(ms=Avg("latency_ms"))["ms"]
    usual = USUAL_SECONDS["offline" if route.is_offline else "model"]
    each = max((average or 0) / 1000, 0.02) if average is not None else usual
    at_once: int = min(settings.RUN_WINDOW, settings.BULK_WORKERS)
    return to_write * each / at_once


@transaction.atomic
def start_run(
    *,
    workspace: Workspace,
    products: QuerySet[Product],
    wishes: dict[str, Any],
    created_by: User | None = None,
    catalogue: Catalogue | None = None,
    idempotency_key: str | None = None,
    request_hash: str = "",
) -> Run:
    """Create the run and its items, which are the queue, and wake the workers after commit."""
    estimate = estimate_run(workspace=workspace, products=products, wishes=wishes)
    if not estimate.products:
        raise DomainError(
            "There is nothing to write: no product is selected, or all of them have a text already.", code="no_products"
        )
    run = Run.objects.create(
        workspace=workspace,
        catalogue=catalogue,
        brief=wishes,
        ceiling_nanos=estimate.ceiling_nanos,
        created_by=created_by,
        idempotency_key=idempotency_key,
        request_hash=request_hash,
    )
    run.item_count = _create_items(run, products)
    run.save(update_fields=["item_count"])
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
    """What is written stays; what was not begun is let go, at no cost."""
    with transaction.atomic():
        _change_state(run, (Run.State.RUNNING, Run.State.PAUSED), Run.State.CANCELLED, finished_at=Now())
        waiting = run.items.filter(state__in=(JobState.QUEUED, JobState.PAUSED))
        waiting.update(state=JobState.CANCELLED, failure="Cancelled before it was begun.", finished_at=Now())


def retry_failed(run: Run) -> int:
    """Queue the failed and cancelled items again, with a fresh set of attempts."""
    again = requeue_items(run.items.all())
    if not again:
        raise Conflict("No product of this run failed, so there is nothing to retry.")
    hand_out(run.pk, settings.RUN_WINDOW)
    return again


@transaction.atomic
def requeue_items(items: QuerySet[RunItem]) -> int:
    """Queue what failed or was cancelled among these items; the sweeper hands them out."""
    ended = items.filter(state__in=(JobState.FAILED, JobState.CANCELLED, JobState.PAUSED))
    runs = set(ended.values_list("run_id", flat=True))
    again = ended.update(
        state=JobState.QUEUED, attempt=0, published_at=None, failure="", finished_at=None, next_run_at=Now()
    )
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
    """How far a run is. `seconds_left` is None when it cannot be told yet."""

    total: int
    waiting: int
    running: int
    paused: int
    done: int
    failed: int
    cancelled: int
    known: int
    cost_nanos: int
    seconds_left: float | None

    @property
    def ended(self) -> int:
        return self.done + self.failed + self.cancelled


def run_progress(run: Run) -> Progress:
    counts = dict(run.items.values_list("state").annotate(count=Count("pk")).order_by())
    known = Text.objects.in_workspace(run.workspace_id).filter(
        run_item__run=run, source__in=(Text.Source.EXACT, Text.Source.COALESCED)
    )
    cost = LlmCall.objects.in_workspace(run.workspace_id).filter(run_item__run=run).aggregate(sum=Sum("cost_nanos"))
    progress = Progress(
        total=run.item_count,
        waiting=counts.get(JobState.QUEUED, 0),
        running=counts.get(JobState.RUNNING, 0),
        paused=counts.get(JobState.PAUSED, 0),
        done=counts.get(JobState.DONE, 0),
        failed=counts.get(JobState.FAILED, 0),
        cancelled=counts.get(JobState.CANCELLED, 0),
        known=known.count(),
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


def failed_items(run: Run) -> QuerySet[RunItem]:
    return run.items.filter(Q(state=JobState.FAILED)).select_related("product").order_by("position")
