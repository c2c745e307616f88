"""What a night would write, why, and at most for how much. Reads only: the dry run and the night itself ask here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Q, Sum
from django.utils import timezone

from accounts import budgets
from accounts.budgets import Payer
from accounts.models import PLATFORM_WORKSPACE_ID, Budget, Workspace
from accounts.quotas import used_products
from contentopt.jobs import UNFINISHED, JobState
from generation.caching import exact
from generation.caching.asking import Ask
from generation.catalogues import Mapping
from generation.engine.postponing import may_wait
from generation.engine.pricing import likely_nanos, most_nanos, most_nanos_later
from generation.engine.routes import Router
from generation.engine.storing import default_wishes
from generation.engine.writing import NIGHT
from generation.facts import FactsError, brief_from, extract_facts, facts_from_json
from generation.models import CachedTemplate, CachedText, Catalogue, Night, NightItem, Product, Run
from generation.nights.samples import sample_briefs
from generation.prompts import facts_block
from generation.routing import Route

Reason = NightItem.Reason
BATCH = 100
MOST_SCANNED = 2_000  # rows of one kind that are looked at
MAX_TITLE = 200


@dataclass(frozen=True, slots=True)
class Candidate:
    """A text worth writing. `family` is the template's key when it is written for a whole family, else empty."""

    reason: Reason
    ask: Ask
    family: str
    expected_nanos: int


@dataclass(frozen=True, slots=True)
class Planned:
    """One text of a plan. Nano-dollars: the most that it can cost, and what it is expected to save."""

    reason: Reason
    ask: Ask
    ceiling_nanos: int
    expected_nanos: int

    @property
    def title(self) -> str:
        return self.ask.brief.facts.title[:MAX_TITLE]


def in_words(reasons: Counter[str]) -> list[tuple[str, int]]:
    """How many for each reason, by its name."""
    return [(str(reason.label), reasons[reason]) for reason in Reason if reasons[reason]]


@dataclass(frozen=True, slots=True)
class Plan:
    """None of it can be refused for the money that the night has: the ceilings fit. `is_cut`: there is more to do."""

    items: list[Planned]
    is_cut: bool = False

    @property
    def ceiling_nanos(self) -> int:
        return sum(item.ceiling_nanos for item in self.items)

    @property
    def expected_nanos(self) -> int:
        return sum(item.expected_nanos for item in self.items)

    @property
    def reasons(self) -> list[tuple[str, int]]:
        return in_words(Counter(item.reason.value for item in self.items))


def plan_for(workspace: Workspace, night: Night | None = None) -> Plan:
    """For this night of the workspace; before it has one, for the coming one."""
    router = Router(workspace.pk, escalates=False)
    if not workspace.night_cap_nanos or not router.offer.specs:
        return Plan([])
    planned = (
        night.items.exclude(state__in=(JobState.FAILED, JobState.CANCELLED)) if night else NightItem.objects.none()
    )
    done = set(planned.values_list("key", flat=True)) if night else set()
    return choose(_candidates(workspace, router), router, room_nanos=room(workspace, night), done=done)


def room(workspace: Workspace, night: Night | None) -> int:
    """What the night may still plan to spend: of its own budget, and of every other cap above it."""
    left = workspace.night_cap_nanos or 0
    if night is not None:
        budget = Budget.objects.in_workspace(workspace).filter(scope=Budget.Scope.NIGHT, scope_id=night.pk).first()
        waiting = night.items.filter(state__in=UNFINISHED).aggregate(sum=Sum("ceiling_nanos"))["sum"]
        left -= (budget.spent_nanos if budget else 0) + (waiting or 0)
    above = budgets.room(Payer(workspace.pk, NIGHT))
    return max(left if above is None else min(left, above), 0)


def choose(candidates: Iterable[Candidate], router: Router, *, room_nanos: int, done: Collection[str] = ()) -> Plan:
    """The candidates in their order, as many as the money covers at the most that they can cost. `done` are the keys of
    what the night has planned before."""
    items: list[Planned] = []
    keys, families = set(done), set[str]()
    for candidate in candidates:
        ask = candidate.ask
        if ask.key in keys or candidate.family in families:
            continue
        routes = router.possible(ask.brief, facts_are_known=True)
        if not routes:
            continue
        ceiling = _ceiling(ask, routes)
        if ceiling > room_nanos or len(items) + len(done) >= settings.NIGHT_MOST_TEXTS:
            return Plan(items, is_cut=True)
        room_nanos -= ceiling
        keys.add(ask.key)
        if candidate.family:
            families.add(candidate.family)
        expected = candidate.expected_nanos or likely_nanos(ask.brief, routes[0].specs[0], _bytes(ask))
        items.append(Planned(candidate.reason, ask, ceiling, expected))
    return Plan(items)


def _ceiling(ask: Ask, routes: Sequence[Route]) -> int:
    """At the batch price where there is one: a night is in no hurry."""
    price = most_nanos_later if may_wait(routes) else most_nanos
    return price(ask.brief, routes, _bytes(ask))


def _bytes(ask: Ask) -> int:
    """Of the facts, or of the family's with slots in place of values, whichever is more."""
    shown = [ask.brief.facts, *([ask.family.facts] if ask.family else [])]
    return max(len(facts_block(facts).encode()) for facts in shown)


def _candidates(workspace: Workspace, router: Router) -> Iterator[Candidate]:
    """The surest savings first. For the platform only its public pool: never what visitors asked for."""
    if workspace.pk == PLATFORM_WORKSPACE_ID:
        yield from _samples(router)
        return
    yield from _expiring(workspace, router)
    yield from _families(workspace, router)
    yield from _unwritten(workspace, router)


# --- The public pool --------------------------------------------------------------------------------------------------


def _samples(router: Router) -> Iterator[Candidate]:
    last = timezone.now() + timedelta(days=settings.NIGHT_EXPIRING_DAYS)
    pool = CachedText.objects.in_workspace(PLATFORM_WORKSPACE_ID).filter(is_public=True, expires_at__gt=last)
    fresh = set(pool.values_list("key", flat=True))
    for brief in sample_briefs(settings.SAMPLE_SHOP):
        ask = router.ask(brief)
        if ask.key not in fresh:
            yield Candidate(Reason.SAMPLE, ask, "", 0)


# --- What is asked for often and about to expire ----------------------------------------------------------------------


def _expiring(workspace: Workspace, router: Router) -> Iterator[Candidate]:
    """Most asked first. Not what a person edited, what a donor in other words answers for, or what was asked for once
    upon a time."""
    last, lately = timezone.now() + timedelta(days=settings.NIGHT_EXPIRING_DAYS), _lately()
    rows = CachedText.objects.in_workspace(workspace).filter(
        Q(last_hit_at=None) | Q(last_hit_at__gte=lately), hits__gt=0, expires_at__lte=last, is_public=False
    )
    rows = rows.exclude(origin__in=(CachedText.Origin.EDITED, CachedText.Origin.SEMANTIC))
    for row, ask in _asked(rows.order_by("-hits", "key"), router):
        yield Candidate(Reason.EXPIRING, ask, _family_of(ask), row.hits * row.cost_nanos)


def _lately() -> datetime:
    return timezone.now() - timedelta(days=settings.NIGHT_RECENT_DAYS)


def _asked(rows: Any, router: Router) -> Iterator[tuple[CachedText, Ask]]:
    """Entries with what was asked for, but for those that a new version has retired."""
    for row in rows[:MOST_SCANNED]:
        if row.facts:
            ask = router.ask(brief_from(row.brief, facts_from_json(row.facts)))
            if ask.key == row.key:
                yield row, ask


def _family_of(ask: Ask) -> str:
    """Empty when the family is known to be written one by one."""
    return "" if ask.template_key in _templates(ask.workspace_id, [ask])[1] else ask.template_key


def _templates(workspace_id: UUID, asks: Iterable[Ask]) -> tuple[set[str], set[str]]:
    """The keys of those families that have a template, and of those that are written one by one."""
    rows = CachedTemplate.objects.in_workspace(workspace_id).filter(
        key__in={ask.template_key for ask in asks if ask.template_key}, expires_at__gt=timezone.now()
    )
    kept, refused = set[str](), set[str]()
    for key, refusal in rows.values_list("key", "refusal"):
        (refused if refusal else kept).add(key)
    return kept, refused


# --- Families about to be asked for -----------------------------------------------------------------------------------


def _families(workspace: Workspace, router: Router) -> Iterator[Candidate]:
    """Families of which several variants were asked for lately, or one whose siblings are not written, and that have
    no template: each is written once for all."""
    lately = _lately()
    rows = CachedText.objects.in_workspace(workspace).filter(
        Q(last_hit_at__gte=lately) | Q(created_at__gte=lately), is_public=False, expires_at__gt=timezone.now()
    )
    rows = rows.exclude(origin__in=(CachedText.Origin.EDITED, CachedText.Origin.SEMANTIC))
    asked = [ask for _, ask in _asked(rows.order_by("-hits", "key"), router) if ask.template_key]
    kept, refused = _templates(workspace.pk, asked)
    asked = [ask for ask in asked if ask.template_key not in kept | refused]
    if not asked:
        return
    variants = Counter(ask.template_key for ask in asked)
    unwritten = Product.objects.in_workspace(workspace).filter(text=None, catalogue__is_sample=False)
    siblings = Counter(ask.template_key for ask in _product_asks(workspace, unwritten, router))
    for ask in asked:
        if variants[ask.template_key] > 1 or siblings[ask.template_key]:
            yield Candidate(Reason.FAMILY, ask, ask.template_key, 0)


# --- Imported, and not written yet ------------------------------------------------------------------------------------


def _unwritten(workspace: Workspace, router: Router) -> Iterator[Candidate]:
    """The newest files first, and never more products in a month than the plan has left of it: they count once used."""
    products = Product.objects.in_workspace(workspace).filter(
        text=None, catalogue__is_sample=False, catalogue__created_at__gte=_lately()
    )
    asks = _product_asks(workspace, products, router)
    new: Iterator[Candidate] = (
        Candidate(Reason.UNWRITTEN, ask, "" if is_single else ask.template_key, 0)
        for batch in _batches(asks)
        for ask, is_single in _unknown(workspace, batch)
    )
    return islice(new, _products_left(workspace))


def _products_left(workspace: Workspace) -> int | None:
    """Of this month's quota, less those written ahead in it, used or not; None without a limit."""
    left = used_products(workspace).left
    if left is None:
        return None
    written = NightItem.objects.in_workspace(workspace).filter(
        reason=Reason.UNWRITTEN, state=JobState.DONE, night__date__gte=timezone.now().date().replace(day=1)
    )
    return max(left - written.count(), 0)


def _unknown(workspace: Workspace, asks: list[Ask]) -> Iterator[tuple[Ask, bool]]:
    """Those that no layer would answer, each with whether its family is written one by one."""
    known = exact.known_keys(workspace.pk, [ask.key for ask in asks])
    kept, refused = _templates(workspace.pk, asks)
    for ask in asks:
        if ask.key not in known and ask.template_key not in kept:
            yield ask, ask.template_key in refused


def _product_asks(workspace: Workspace, products: Any, router: Router) -> Iterator[Ask]:
    """What would be asked for about products: with the wishes of the file's last run, else of any, else the usual."""
    wishes: dict[UUID, dict[str, Any]] = {}
    ready = products.filter(catalogue__status=Catalogue.Status.READY).select_related("catalogue")
    for product in ready.order_by("-catalogue__created_at", "catalogue_id", "row_number")[:MOST_SCANNED]:
        if product.catalogue_id not in wishes:
            wishes[product.catalogue_id] = usual_wishes(workspace, product.catalogue)
        try:
            facts = extract_facts(product.product)
        except FactsError:
            continue
        yield router.ask(brief_from(wishes[product.catalogue_id], facts))


def usual_wishes(workspace: Workspace, catalogue: Catalogue) -> dict[str, Any]:
    runs = Run.objects.in_workspace(workspace)
    last = runs.filter(catalogue=catalogue).first() or runs.first()
    fields = Mapping.from_json(catalogue.mapping).written
    return {**last.brief, "fields": list(fields)} if last else default_wishes(fields)


def _batches(asks: Iterator[Ask]) -> Iterator[list[Ask]]:
    while batch := list(islice(asks, BATCH)):
        yield batch
