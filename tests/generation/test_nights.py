"""Texts written before anybody asks: what is planned, what is written, what it may cost."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts import metering
from accounts.budgets import Payer
from accounts.models import PLATFORM_WORKSPACE_ID, Budget, UsageEntry, Workspace
from accounts.quotas import used_products
from accounts.retiring import retire
from accounts.services.caps import set_workspace_cap
from accounts.services.workspaces import create_workspace
from contentopt.errors import Conflict
from contentopt.jobs import JobState
from generation.engine.items import write_item
from generation.engine.storing import default_wishes
from generation.engine.writing import write
from generation.facts import Brief, extract_facts
from generation.models import CachedText, LlmCall, Night, NightItem, Text
from generation.nights import items
from generation.nights.hours import Hours
from generation.services import catalogues, nights, runs
from tests.conftest import ApiClient
from tests.factories import first_product, make_catalogue, make_file, make_run, numbered_rows
from tests.generation.batch_runs import advance_all, assert_books_agree, finish_night, write_due
from tests.servers import KEY, Provider

pytestmark = pytest.mark.django_db

CENT = 10_000_000
DOLLAR = 100 * CENT
MUG = Brief(extract_facts({"title": "Enamel Mug", "attributes": {"Material": "enamel"}}))


@pytest.fixture
def thrifty(shop: Workspace) -> Workspace:
    """A shop that lets its nights spend a dollar."""
    nights.change_night_cap(workspace=shop, cap_nanos=DOLLAR)
    return shop


@pytest.fixture
def priced(provider: Provider, settings: Any) -> Provider:
    settings.ANTHROPIC_API_KEY, settings.ANTHROPIC_BASE_URL = KEY, provider.url
    settings.BATCH_POLL_SECONDS = 0.01
    return provider


def ask(workspace: Workspace, brief: Brief = MUG, endpoint: str = "api", product_key: str | None = None) -> str:
    """The source of the answer."""
    return write(brief, payer=Payer(workspace.pk, endpoint), product_key=product_key).source


def asked_often(workspace: Workspace, *, hits: int = 5, expires_in: timedelta = timedelta(days=1)) -> CachedText:
    ask(workspace)
    rows = CachedText.objects.in_workspace(workspace)
    rows.update(hits=hits, expires_at=timezone.now() + expires_in)
    return rows.get()


def work_off(workspace: Workspace) -> Night:
    night = nights.start_night(workspace)
    items.plan_night(night.pk)
    finish_night(night)
    night.refresh_from_db()
    return night


def keys(workspace: Workspace) -> set[str]:
    return set(NightItem.objects.in_workspace(workspace).values_list("key", flat=True))


def reasons(workspace: Workspace) -> list[str]:
    return [planned.reason.value for planned in nights.tonight(workspace).items]


# --- What is planned --------------------------------------------------------------------------------------------------


def test_products_imported_and_not_written_are_written_ahead_and_then_free(thrifty: Workspace) -> None:
    catalogue = make_catalogue(thrifty)

    work_off(thrifty)
    for item in make_run(catalogue).items.all():
        write_item(item.pk, publish_next=False)

    texts = Text.objects.in_workspace(thrifty)
    assert {text.source for text in texts} == {Text.Source.PRECOMPUTED}
    assert LlmCall.objects.in_workspace(thrifty).filter(run_item__isnull=False).count() == 0


def test_they_are_written_with_the_wishes_of_the_last_run(thrifty: Workspace) -> None:
    catalogue = make_catalogue(thrifty)
    make_run(catalogue, tone="playful")

    assert {item.ask.brief.tone for item in nights.tonight(thrifty).items} == {"playful"}


def test_what_is_asked_for_often_is_renewed_before_it_expires(thrifty: Workspace) -> None:
    known = asked_often(thrifty)
    assert reasons(thrifty) == ["expiring"]

    work_off(thrifty)

    renewed = CachedText.objects.in_workspace(thrifty).get(pk=known.pk)
    assert renewed.expires_at > timezone.now() + timedelta(days=29)
    assert LlmCall.objects.in_workspace(thrifty).count() == 2
    assert ask(thrifty) == "precomputed"
    assert reasons(thrifty) == []


@pytest.mark.parametrize(
    ("hits", "expires_in", "origin"),
    [
        (0, timedelta(days=1), CachedText.Origin.MODEL),
        (5, timedelta(days=20), CachedText.Origin.MODEL),
        (5, timedelta(days=1), CachedText.Origin.EDITED),
        (5, timedelta(days=1), CachedText.Origin.SEMANTIC),
    ],
    ids=["never asked again", "lasts", "a person's own", "answered by its donor"],
)
def test_what_needs_no_renewal_is_left_alone(thrifty: Workspace, hits: int, expires_in: timedelta, origin: str) -> None:
    asked_often(thrifty, hits=hits, expires_in=expires_in)
    CachedText.objects.in_workspace(thrifty).update(origin=origin)

    assert reasons(thrifty) == []


def test_what_was_asked_for_once_upon_a_time_is_not_renewed(thrifty: Workspace) -> None:
    asked_often(thrifty)
    CachedText.objects.in_workspace(thrifty).update(last_hit_at=timezone.now() - timedelta(days=20))

    assert reasons(thrifty) == []


def test_a_night_has_a_largest_number_of_texts_however_often_it_is_started(thrifty: Workspace, settings: Any) -> None:
    settings.NIGHT_MOST_TEXTS = 2
    make_catalogue(thrifty)

    for _ in range(2):
        assert work_off(thrifty).item_count == 2


def test_items_of_nights_long_past_are_dropped_and_their_sums_stay(thrifty: Workspace) -> None:
    make_catalogue(thrifty)
    night = work_off(thrifty)
    Night.objects.in_workspace(thrifty).update(date=timezone.now().date() - timedelta(days=90))

    assert items.drop_old() == 3
    assert nights.figures_of([night])[0].planned == 3


def test_the_sample_shop_and_old_imports_are_not_written_ahead(thrifty: Workspace) -> None:
    catalogues.add_sample_shop(thrifty)
    old = make_catalogue(thrifty)
    type(old).objects.in_workspace(thrifty).filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=60))

    assert reasons(thrifty) == []


def test_no_more_new_products_are_planned_than_the_plan_has_left(alice: Any) -> None:
    small = create_workspace(owner=alice, name="Small", plan="free")
    nights.change_night_cap(workspace=small, cap_nanos=DOLLAR)
    left = used_products(small).left
    assert left is not None
    make_catalogue(small, make_file(numbered_rows(left + 3)))

    assert len(nights.tonight(small).items) == left
    work_off(small)
    make_catalogue(small, make_file(numbered_rows(2 * left)))
    assert nights.tonight(small).items == []  # nor in one night after the other


def test_dry_run_says_what_is_then_done(thrifty: Workspace, priced: Provider) -> None:
    asked_often(thrifty)
    make_catalogue(thrifty)

    told = nights.tonight(thrifty)
    night = work_off(thrifty)

    assert [item.ask.key for item in told.items] == list(night.items.order_by("position").values_list("key", flat=True))
    assert (night.item_count, night.ceiling_nanos) == (4, told.ceiling_nanos)
    figures = nights.figures_of([night])[0]
    assert (figures.planned, figures.written, figures.state) == (4, 4, "Written")
    assert figures.reasons == told.reasons
    assert 0 < figures.cost_nanos <= told.ceiling_nanos


# --- Money ------------------------------------------------------------------------------------------------------------


def test_without_a_cap_for_nights_nothing_is_written(shop: Workspace) -> None:
    make_catalogue(shop)

    assert items.open_nights(datetime(2026, 11, 26, 2, tzinfo=UTC)) == 1  # the platform's
    assert nights.tonight(shop).items == []
    with pytest.raises(Conflict):
        nights.start_night(shop)


def test_a_night_plans_as_much_as_its_budget_covers_at_the_worst(thrifty: Workspace, priced: Provider) -> None:
    make_catalogue(thrifty, make_file(numbered_rows(5)))
    each = nights.tonight(thrifty).items[0].ceiling_nanos
    nights.change_night_cap(workspace=thrifty, cap_nanos=3 * each + each // 2)

    plan = nights.tonight(thrifty)
    night = work_off(thrifty)

    assert (len(plan.items), plan.is_cut) == (3, True)
    budget = Budget.objects.in_workspace(thrifty).get(scope="night", scope_id=night.pk)
    lines = UsageEntry.objects.in_workspace(thrifty).filter(run_id=night.pk)
    assert 0 < budget.spent_nanos == sum(line.cost_nanos for line in lines) <= 3 * each
    assert {line.endpoint for line in lines} == {"night"}


def test_a_night_started_twice_shares_one_budget(thrifty: Workspace, priced: Provider) -> None:
    make_catalogue(thrifty, make_file(numbered_rows(6)))
    each = nights.tonight(thrifty).items[0].ceiling_nanos
    nights.change_night_cap(workspace=thrifty, cap_nanos=3 * each)

    first, second = work_off(thrifty), work_off(thrifty)

    assert first.pk == second.pk
    budget = Budget.objects.in_workspace(thrifty).get(scope="night")
    assert second.item_count > 3  # what the first three did not use
    assert budget.spent_nanos <= 3 * each
    assert Budget.objects.in_workspace(thrifty).filter(scope="night").count() == 1


def test_every_other_cap_holds_at_night_too(thrifty: Workspace, priced: Provider) -> None:
    make_catalogue(thrifty)
    each = nights.tonight(thrifty).items[0].ceiling_nanos
    set_workspace_cap(workspace=thrifty, cap_nanos=each + each // 2)

    assert len(nights.tonight(thrifty).items) == 1


def test_a_cap_taken_away_ends_the_night_that_has_begun(thrifty: Workspace) -> None:
    make_catalogue(thrifty)
    night = nights.start_night(thrifty)
    items.plan_night(night.pk)

    nights.change_night_cap(workspace=thrifty, cap_nanos=None)

    assert set(night.items.values_list("state", flat=True)) == {JobState.CANCELLED}
    assert Budget.objects.in_workspace(thrifty).get(scope="night").limit_nanos == 0


def test_texts_written_ahead_count_in_the_month_when_they_are_used(thrifty: Workspace) -> None:
    make_catalogue(thrifty)
    work_off(thrifty)
    assert used_products(thrifty).used == 0

    product = first_product(make_catalogue(thrifty))
    facts = extract_facts(product.product)
    wishes = default_wishes(["description"])
    for _ in range(2):
        ask(thrifty, Brief(facts, fields=tuple(wishes["fields"])), product_key=product.quota_key)

    assert used_products(thrifty).used == 1


def test_they_count_as_well_when_the_api_gives_them_without_postgresql(
    thrifty: Workspace, api: ApiClient, django_capture_on_commit_callbacks: Any
) -> None:
    client = api(thrifty)

    def answered() -> str:
        body = {"product": {"title": "Enamel Mug", "attributes": {"Material": "enamel"}}}
        return str(client.post("/api/v1/descriptions", body, content_type="application/json").json()["source"])

    asked_often(thrifty)
    with django_capture_on_commit_callbacks(execute=True):
        work_off(thrifty)

    with django_capture_on_commit_callbacks(execute=True):
        assert [answered() for _ in range(3)] == ["precomputed"] * 3
        metering.drain_free_answers()

    assert used_products(thrifty).used == 1


def test_only_answers_that_somebody_got_count_as_saved(thrifty: Workspace, priced: Provider) -> None:
    asked_often(thrifty)
    night = work_off(thrifty)
    metering.drain_free_answers()
    assert not UsageEntry.objects.in_workspace(thrifty).filter(basis="free").exists()
    cost = CachedText.objects.in_workspace(thrifty).get().cost_nanos

    ask(thrifty)
    metering.drain_free_answers()
    metering.roll_up()

    Night.objects.in_workspace(thrifty).update(date=timezone.now().date())
    night.refresh_from_db()
    assert nights.figures_of([night])[0].saved_nanos == cost > 0
    assert nights.sums_of(thrifty) == nights.NightSums(1, cost, cost, 1, cost)  # a batch costs half


# --- By batch ---------------------------------------------------------------------------------------------------------


def sent_night(workspace: Workspace) -> Night:
    night = nights.start_night(workspace)
    items.plan_night(night.pk)
    write_due(night)
    advance_all(night)
    return night


def test_a_night_goes_by_batch_and_costs_half(thrifty: Workspace, priced: Provider) -> None:
    make_catalogue(thrifty)

    night = work_off(thrifty)

    meter = priced.meter()
    assert (len(meter["batched"]), meter["requests"]) == (3, 0)
    assert_books_agree(thrifty, priced)
    figures = nights.figures_of([night])[0]
    assert figures.batch_saved_nanos == figures.cost_nanos > 0


def test_what_is_with_the_provider_when_the_night_is_over_is_waited_for(thrifty: Workspace, priced: Provider) -> None:
    priced.treat_batches(hold=True)
    make_catalogue(thrifty)
    night = sent_night(thrifty)
    Night.objects.in_workspace(thrifty).update(until=timezone.now() - timedelta(minutes=1))

    items.sweep_nights()
    night.refresh_from_db()
    figures = nights.figures_of([night])[0]
    assert (figures.state, figures.upstream) == ("With the provider", 3)
    priced.treat_batches(hold=False)
    finish_night(night)

    assert set(night.items.values_list("state", flat=True)) == {JobState.DONE}


def test_a_cancelled_night_keeps_what_the_provider_has_written(thrifty: Workspace, priced: Provider) -> None:
    priced.treat_batches(hold=True, served_before_cancel=1)
    make_catalogue(thrifty)
    night = sent_night(thrifty)

    assert nights.cancel_night(night) == 0  # all three are with the provider
    for _ in range(3):
        advance_all(night)
        items.sweep_nights()
        write_due(night)

    states = sorted(night.items.values_list("state", flat=True))
    assert states == [JobState.CANCELLED, JobState.CANCELLED, JobState.DONE]
    assert_books_agree(thrifty, priced)


# --- The queue --------------------------------------------------------------------------------------------------------


def test_the_clock_opens_one_night_a_date_and_only_at_night(thrifty: Workspace) -> None:
    evening, night = datetime(2026, 11, 26, 22, tzinfo=UTC), datetime(2026, 11, 27, 2, 30, tzinfo=UTC)

    assert [items.open_nights(now) for now in (evening, night, night)] == [0, 2, 0]
    opened = Night.objects.in_workspace(thrifty).get()
    assert (opened.date, opened.until) == (date(2026, 11, 27), datetime(2026, 11, 27, 5, tzinfo=UTC))


def test_nights_can_be_switched_off(thrifty: Workspace, settings: Any) -> None:
    settings.NIGHT_IS_ON = False

    assert items.open_nights(datetime(2026, 11, 27, 2, tzinfo=UTC)) == 0


def test_what_is_not_begun_when_the_night_ends_is_let_go(thrifty: Workspace) -> None:
    make_catalogue(thrifty)
    night = nights.start_night(thrifty)
    items.plan_night(night.pk)
    Night.objects.in_workspace(thrifty).update(until=timezone.now() - timedelta(seconds=1))

    items.sweep_nights()

    assert set(night.items.values_list("state", "failure")) == {(JobState.CANCELLED, items.OVER)}


def test_a_cancelled_night_writes_nothing_more_and_may_be_started_again(thrifty: Workspace) -> None:
    make_catalogue(thrifty)
    night = nights.start_night(thrifty)
    items.plan_night(night.pk)
    first = night.items.order_by("position")[0]
    items.write_ahead(first.pk, publish_next=False)

    assert nights.cancel_night(night) == 2
    assert items.write_ahead(night.items.order_by("position")[1].pk) is None

    work_off(thrifty)
    assert set(night.items.values_list("state", flat=True)) == {JobState.DONE}
    assert LlmCall.objects.in_workspace(thrifty).count() == 3


def test_a_text_edited_since_it_was_planned_is_not_written_over(thrifty: Workspace) -> None:
    asked_often(thrifty)
    night = nights.start_night(thrifty)
    items.plan_night(night.pk)
    CachedText.objects.in_workspace(thrifty).update(
        origin=CachedText.Origin.EDITED, expires_at=timezone.now() + timedelta(days=30)
    )

    assert items.write_ahead(night.items.get().pk) == JobState.DONE

    assert CachedText.objects.in_workspace(thrifty).get().origin == CachedText.Origin.EDITED


def test_a_worker_that_died_after_it_was_paid_does_not_have_it_paid_again(thrifty: Workspace) -> None:
    asked_often(thrifty)
    night = work_off(thrifty)
    dead = {"state": JobState.RUNNING, "lease_until": timezone.now() - timedelta(seconds=1), "finished_at": None}
    night.items.update(**dead)

    assert items.write_ahead(night.items.get().pk) == JobState.DONE

    assert LlmCall.objects.in_workspace(thrifty).count() == 2  # the first text and its renewal


@pytest.mark.parametrize(
    ("now", "day", "is_night"),
    [
        (datetime(2026, 11, 26, 3, tzinfo=UTC), date(2026, 11, 26), True),
        (datetime(2026, 11, 26, 4, tzinfo=UTC), date(2026, 11, 27), False),
        (datetime(2026, 11, 26, 21, 59, tzinfo=UTC), date(2026, 11, 27), False),
        (datetime(2026, 11, 26, 22, tzinfo=UTC), date(2026, 11, 27), True),
    ],
)
def test_a_night_over_midnight_belongs_to_the_day_it_ends_on(now: datetime, day: date, is_night: bool) -> None:
    hours = Hours(22, 4)

    assert (hours.date(now), hours.has_begun(now)) == (day, is_night)


# --- The public pool --------------------------------------------------------------------------------------------------


@pytest.fixture
def pool(settings: Any, tmp_path: Any) -> Workspace:
    """The platform's workspace, with a sample shop of three products."""
    settings.SAMPLE_SHOP = tmp_path / "sample.csv"
    settings.SAMPLE_SHOP.write_bytes(make_file())
    return Workspace.objects.get(pk=PLATFORM_WORKSPACE_ID)


def test_a_new_workspaces_first_run_over_the_sample_shop_is_free(pool: Workspace, alice: Any) -> None:
    work_off(pool)
    shop = create_workspace(owner=alice, name="New", plan="free", with_sample_shop=True)
    catalogue = shop.catalogues.get(is_sample=True)
    products = catalogue.products.all()
    wishes = default_wishes(["description"])
    assert runs.estimate_run(payer=Payer(shop.pk, "run"), products=products, wishes=wishes).calls == 0

    for item in make_run(catalogue).items.all():
        write_item(item.pk, publish_next=False)

    assert {text.source for text in Text.objects.in_workspace(shop)} == {Text.Source.PRECOMPUTED}
    assert not LlmCall.objects.in_workspace(shop).exists()
    assert not CachedText.objects.in_workspace(shop).exists()


def test_the_pool_holds_every_sample_product_in_every_language_and_nothing_else(pool: Workspace) -> None:
    ask(pool, endpoint="visitor")
    CachedText.objects.in_workspace(pool).update(hits=9, expires_at=timezone.now() + timedelta(days=1))

    work_off(pool)

    public = CachedText.objects.in_workspace(pool).filter(is_public=True)
    assert sorted(row.brief["language"] for row in public) == sorted(["en", "de", "fr", "es", "it", "nl"] * 3)
    assert {row.facts["title"] for row in public} == {"Linen Apron", "Oak Board", "Steel Ladle"}
    assert nights.tonight(pool).items == []


def test_a_visitors_text_never_becomes_public(pool: Workspace) -> None:
    apron = nights.tonight(pool).items[0].ask.brief
    work_off(pool)
    row = CachedText.objects.in_workspace(pool).filter(facts__title=apron.facts.title, brief__language="en")
    row.update(expires_at=timezone.now() - timedelta(minutes=1))  # and not dropped yet
    retire()
    assert row.get().is_public

    ask(pool, apron, endpoint="visitor")

    assert not row.get().is_public
