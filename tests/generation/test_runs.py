from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.budgets import Payer
from accounts.models import Plan, User, Workspace
from accounts.services.workspaces import change_plan
from contentopt import jobs
from contentopt.errors import Conflict, DomainError
from contentopt.jobs import JobState
from generation.caching.asking import cache_key
from generation.engine import items
from generation.engine.routes import Router
from generation.engine.storing import NO_FACTS, default_wishes
from generation.exporting import export_file
from generation.facts import brief_from, fingerprint_from_hash
from generation.models import CachedTemplate, Catalogue, LlmCall, ModelPrice, Product, Provider, Run, RunItem, Text
from generation.services import retrying, runs
from generation.services.texts import edit_text
from generation.templatetags.wording import sources_said
from tests.factories import first_product, make_catalogue, make_file, make_run, numbered_rows

pytestmark = pytest.mark.django_db


@pytest.fixture
def catalogue(shop: Workspace) -> Catalogue:
    return make_catalogue(shop)


def work_off(run: Run) -> None:
    for item in run.items.filter(state=JobState.QUEUED):
        items.write_item(item.pk, publish_next=False)
    run.refresh_from_db()


def states(run: Run) -> list[str]:
    return list(run.items.order_by("position").values_list("state", flat=True))


def estimate(catalogue: Catalogue, **wishes: Any) -> runs.Estimate:
    products = Product.objects.in_workspace(catalogue.workspace_id).filter(catalogue=catalogue)
    chosen = default_wishes(["description"], **wishes)
    return runs.estimate_run(payer=Payer(catalogue.workspace_id, "run"), products=products, wishes=chosen)


def test_run_writes_every_product_and_finishes(catalogue: Catalogue) -> None:
    run = make_run(catalogue)

    work_off(run)

    assert run.state == Run.State.FINISHED
    assert run.finished_at is not None
    assert states(run) == ["done"] * 3
    texts = Text.objects.in_workspace(catalogue.workspace_id)
    assert {text.product_id for text in texts} == {item.product_id for item in run.items.all()}
    assert Product.objects.in_workspace(catalogue.workspace_id).written().count() == 3


def test_every_upstream_attempt_leaves_a_call(catalogue: Catalogue) -> None:
    work_off(make_run(catalogue))

    calls = LlmCall.objects.in_workspace(catalogue.workspace_id)
    assert [(call.model_id, call.outcome, call.cost_nanos) for call in calls] == [("offline-1", "accepted", 0)] * 3


def test_second_run_of_the_same_products_costs_no_call(catalogue: Catalogue) -> None:
    work_off(make_run(catalogue))
    assert estimate(catalogue).known == 3

    again = make_run(catalogue)
    work_off(again)

    assert LlmCall.objects.in_workspace(catalogue.workspace_id).count() == 3
    assert runs.run_progress(again).known == 3
    newest = Text.objects.in_workspace(catalogue.workspace_id).filter(run_item__run=again)
    assert {text.source for text in newest} == {Text.Source.EXACT}


def test_same_facts_in_another_file_are_known(shop: Workspace, catalogue: Catalogue) -> None:
    work_off(make_run(catalogue))
    respelt = b"name;sku;Colour;MATERIAL;description\nlinen apron;A-1;SAND;Linen;\n"

    assert estimate(make_catalogue(shop, respelt, "other.csv")).known == 1


def test_ceiling_is_exact_for_a_priced_model_and_never_exceeded(catalogue: Catalogue, settings: Any) -> None:
    settings.ANTHROPIC_API_KEY = "set"

    found = estimate(catalogue)

    price = ModelPrice.objects.in_force().get(model__model_id="claude-haiku-5-5").price
    assert found.model_id == "claude-haiku-5-5"
    assert (found.products, found.to_write) == (3, 3)
    assert 0 < found.likely_nanos < found.ceiling_nanos
    # Two attempts each of 130 words at 4 tokens, output alone:
    assert found.ceiling_nanos > 3 * 2 * 130 * 4 * price.output // 1_000_000


def test_switched_off_provider_is_not_asked(catalogue: Catalogue) -> None:
    Provider.objects.filter(slug="offline").update(is_enabled=False)

    with pytest.raises(DomainError) as refusal:
        estimate(catalogue)

    assert refusal.value.status == 503


def test_pause_holds_what_waits_and_resume_goes_on(catalogue: Catalogue) -> None:
    run = make_run(catalogue)
    items.write_item(run.items.order_by("position")[0].pk, publish_next=False)

    runs.pause_run(run)
    assert states(run) == ["done", "paused", "paused"]
    assert items.write_item(run.items.order_by("position")[1].pk) is None

    runs.resume_run(run)
    work_off(run)
    assert run.state == Run.State.FINISHED


def test_run_that_is_paused_while_its_last_text_is_written_is_finished(catalogue: Catalogue) -> None:
    run = make_run(catalogue)
    first = run.items.order_by("position")[0]
    run.items.exclude(pk=first.pk).update(state=JobState.DONE, finished_at=timezone.now())
    token = jobs.claim(RunItem, first.pk)
    assert token
    runs.pause_run(run)
    assert not items.finish_run(run.pk)

    jobs.finish(token, JobState.DONE)

    assert items.finish_run(run.pk)
    run.refresh_from_db()
    assert run.state == Run.State.FINISHED


def test_cancel_keeps_what_is_written(catalogue: Catalogue) -> None:
    run = make_run(catalogue)
    items.write_item(run.items.order_by("position")[0].pk, publish_next=False)

    runs.cancel_run(run)

    assert states(run) == ["done", "cancelled", "cancelled"]
    assert run.state == Run.State.CANCELLED
    assert Text.objects.in_workspace(catalogue.workspace_id).count() == 1
    with pytest.raises(Conflict):
        runs.pause_run(run)


def test_partial_download_holds_what_is_written_so_far(catalogue: Catalogue) -> None:
    run = make_run(catalogue)
    items.write_item(run.items.order_by("position")[0].pk, publish_next=False)

    lines = b"".join(export_file(catalogue)).decode().splitlines()

    assert lines[1] != make_file().decode().splitlines()[1]
    assert lines[2:] == make_file().decode().splitlines()[2:]


def test_item_that_keeps_dying_fails_with_a_reason_and_can_be_retried(catalogue: Catalogue) -> None:
    run = make_run(catalogue)
    dying = run.items.order_by("position")[0]
    past = timezone.now() - timedelta(seconds=1)
    run.items.filter(pk=dying.pk).update(state=JobState.RUNNING, attempt=settings.JOB_MAX_ATTEMPTS, lease_until=past)

    items.sweep_runs()
    work_off(run)
    assert states(run) == ["failed", "done", "done"]
    assert run.state == Run.State.FINISHED
    assert "set aside" in run.items.get(pk=dying.pk).failure

    assert retrying.retry_failed(run) == 1
    work_off(run)
    assert states(run) == ["done"] * 3
    assert run.state == Run.State.FINISHED


def test_retry_with_nothing_failed_says_so(catalogue: Catalogue) -> None:
    run = make_run(catalogue)
    work_off(run)

    with pytest.raises(Conflict, match="nothing to retry"):
        retrying.retry_failed(run)


def test_sweeping_twice_changes_nothing_more(catalogue: Catalogue) -> None:
    run = make_run(catalogue)
    items.sweep_runs()
    before = list(RunItem.objects.in_workspace(catalogue.workspace_id).values("pk", "state", "published_at"))

    items.sweep_runs()

    assert list(RunItem.objects.in_workspace(catalogue.workspace_id).values("pk", "state", "published_at")) == before
    assert run.is_open


def test_ghost_worker_stores_nothing(catalogue: Catalogue) -> None:
    """A worker whose lease ran out finds another one at its item."""
    item = make_run(catalogue).items.order_by("position")[0]
    ghost = jobs.claim(RunItem, item.pk)
    assert ghost is not None
    RunItem._base_manager.filter(pk=item.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    successor = jobs.claim(RunItem, item.pk)
    assert successor is not None

    with pytest.raises(jobs.LostLease):
        jobs.finish(ghost, JobState.DONE)

    successor.refresh_from_db()
    assert (successor.state, successor.attempt) == (JobState.RUNNING, 2)


def test_claimed_item_is_claimed_by_nobody_else(catalogue: Catalogue) -> None:
    item = make_run(catalogue).items.order_by("position")[0]

    assert jobs.claim(RunItem, item.pk) is not None
    assert jobs.claim(RunItem, item.pk) is None


def test_only_few_items_of_a_run_are_out_at_a_time(shop: Workspace, settings: Any) -> None:
    settings.RUN_WINDOW = 5
    run = make_run(make_catalogue(shop, make_file(numbered_rows(20))))

    items.sweep_runs()
    items.sweep_runs()

    assert run.items.filter(published_at__isnull=False).count() == 5


def test_text_edited_during_a_run_is_not_covered(catalogue: Catalogue, alice: User) -> None:
    run = make_run(catalogue)
    product = first_product(catalogue)
    edit_text(product=product, fields={"description": "My own words."}, editor=alice)

    work_off(run)

    product.refresh_from_db()
    assert product.text is not None
    assert product.text.description == "My own words."
    assert product.texts.count() == 2  # the run's version is in the history


def test_only_missing_leaves_described_products_alone(shop: Workspace) -> None:
    rows = ["A-1,Apron,linen,sand,Has a text", "A-2,Board,oak,brown,"]
    catalogue = make_catalogue(shop, make_file(rows))
    products = Product.objects.in_workspace(shop).filter(catalogue=catalogue)

    assert [p.title for p in runs.selected(products, only_missing=True)] == ["Board"]


def test_run_over_nothing_is_refused(catalogue: Catalogue, shop: Workspace) -> None:
    nothing = Product.objects.in_workspace(shop).none()
    with pytest.raises(DomainError, match="nothing to write"):
        runs.start_run(workspace=shop, products=nothing, wishes=default_wishes(["description"]))

    assert not Run.objects.in_workspace(shop).exists()


def test_progress_does_not_cost_more_queries_for_more_items(shop: Workspace, catalogue: Catalogue) -> None:
    small, large = make_run(catalogue), make_run(make_catalogue(shop, make_file(numbered_rows(60))))
    counts = []
    for run in (small, large):
        with CaptureQueriesContext(connection) as queries:
            assert runs.run_progress(run).waiting == run.item_count
        counts.append(len(queries))

    assert counts[0] == counts[1]


def family_of_four(shop: Workspace) -> Catalogue:
    """Three variants of one family and one product without any."""
    rows = ["A,Apron,linen,sand,", "B,Apron,linen,red,", "C,Apron,linen,blue,", "D,Ladle,steel,,"]
    catalogue = make_catalogue(shop, make_file(rows))
    products = Product.objects.in_workspace(shop).filter(catalogue=catalogue)
    products.update(family="")
    products.exclude(key="D").update(family="t1-aprons")
    return catalogue


def test_a_family_is_priced_as_one_call_and_the_ceiling_as_if_there_were_none(shop: Workspace, settings: Any) -> None:
    settings.ANTHROPIC_API_KEY = "set"
    catalogue = family_of_four(shop)

    families = estimate(catalogue)
    Product.objects.in_workspace(shop).update(family="")
    one_by_one = estimate(catalogue)

    assert (families.to_write, families.calls, families.filled) == (4, 2, 2)
    assert (one_by_one.to_write, one_by_one.calls, one_by_one.filled) == (4, 4, 0)
    assert families.ceiling_nanos == one_by_one.ceiling_nanos
    assert families.likely_nanos < one_by_one.likely_nanos


@pytest.mark.parametrize(("refusal", "calls"), [("", 1), ("It leans on the colour.", 4)])
def test_a_family_that_has_a_text_costs_no_call_and_one_without_hope_a_call_each(
    shop: Workspace, refusal: str, calls: int
) -> None:
    catalogue = family_of_four(shop)
    brief = brief_from(default_wishes(["description"]), NO_FACTS)
    CachedTemplate.objects.create(
        workspace=shop,
        key=cache_key(fingerprint_from_hash(brief, "t1-aprons"), Router(shop.pk).quality(brief)),
        fields={},
        refusal=refusal,
        provider="offline",
        model_id="offline-1",
        expires_at=timezone.now() + timedelta(days=1),
    )

    assert estimate(catalogue).calls == calls


def test_an_estimate_does_not_cost_more_queries_for_more_products(shop: Workspace, catalogue: Catalogue) -> None:
    counts = []
    for each in (catalogue, make_catalogue(shop, make_file(numbered_rows(60)))):
        with CaptureQueriesContext(connection) as queries:
            estimate(each)
        counts.append(len(queries))

    assert counts[0] == counts[1]


def products_a_month(shop: Workspace, count: int | None) -> None:
    plan = Plan.objects.create(slug=f"of-{count}", name=f"Plan of {count}", products_per_month=count)
    change_plan(workspace=shop, plan=plan)


def test_an_estimate_says_how_many_the_plan_would_refuse(shop: Workspace, catalogue: Catalogue) -> None:
    products_a_month(shop, 2)

    before = estimate(catalogue)
    work_off(make_run(catalogue))

    assert (before.products_left, before.over_quota) == (2, 1)
    # Its two written products are known; the third is not, and nothing is left for it.
    assert (estimate(catalogue).products_left, estimate(catalogue).over_quota) == (0, 1)
    # Other words for products that count already are no matter of the plan's.
    assert estimate(catalogue, tone="playful").over_quota == 1


def test_the_sample_shop_and_plans_without_a_limit_are_never_over(shop: Workspace, catalogue: Catalogue) -> None:
    products_a_month(shop, None)
    assert (estimate(catalogue).products_left, estimate(catalogue).over_quota) == (None, 0)

    products_a_month(shop, 0)
    assert estimate(catalogue).over_quota == 3
    Catalogue.objects.in_workspace(shop).update(is_sample=True)
    assert estimate(catalogue).over_quota == 0


def test_the_plans_products_cost_an_estimate_the_same_queries_for_more_of_them(
    shop: Workspace, catalogue: Catalogue
) -> None:
    products_a_month(shop, 1)
    counts = []
    for each in (catalogue, make_catalogue(shop, make_file(numbered_rows(60)))):
        with CaptureQueriesContext(connection) as queries:
            assert estimate(each).over_quota
        counts.append(len(queries))

    assert counts[0] == counts[1]


def test_failures_are_told_by_kind_the_most_frequent_first(shop: Workspace) -> None:
    run = make_run(make_catalogue(shop, make_file(numbered_rows(5))))
    for position, reason in enumerate(["$0.9 is left.", "Odd.", "$0.1 is left.", "$0.25 is left."]):
        run.items.filter(position=position).update(state=JobState.FAILED, failure=reason)

    most, other = runs.failures_of(run, most=3)

    assert (most.reason, most.count, [item.position for item in most.items], most.more) == (
        "$0.9 is left.",
        3,
        [0, 2],
        1,
    )
    assert (other.reason, other.count, other.more) == ("Odd.", 1, 0)


@pytest.mark.parametrize(
    ("room", "urgency", "fits"),
    [(None, "now", True), (59, "now", False), (60, "now", True), (34, "later", False), (35, "later", True)],
)
def test_a_run_is_likely_to_fit_with_the_hold_of_its_last_text(room: int | None, urgency: str, fits: bool) -> None:
    later = runs.LaterPrice(100, 5, "m", room)
    found = runs.Estimate(4, 0, 4, 3, 1, 400, 30, 1.0, "m", "", room, later, None, 0, 30)

    assert found.is_likely_to_fit(urgency) is fits


@pytest.mark.parametrize(("likely", "saves"), [(9, True), (10, False), (50, False)])
def test_waiting_is_offered_where_it_saves(likely: int, saves: bool) -> None:
    later = runs.LaterPrice(100, likely, "dear-in-a-batch", None)

    assert runs.Estimate(4, 0, 4, 4, 0, 200, 10, 1.0, "cheap", "", None, later, None, 0, 0).does_waiting_save is saves


def test_one_text_takes_as_long_as_one_takes(shop: Workspace, settings: Any) -> None:
    settings.ANTHROPIC_API_KEY = "set"

    found = estimate(make_catalogue(shop, make_file(numbered_rows(1))))

    assert found.seconds == runs.USUAL_SECONDS["model"]


def test_progress_says_where_the_texts_came_from(catalogue: Catalogue) -> None:
    run = make_run(catalogue)
    work_off(run)
    for source, text in zip(
        ("template", "precomputed"), Text.objects.in_workspace(catalogue.workspace_id), strict=False
    ):
        Text.objects.in_workspace(catalogue.workspace_id).filter(pk=text.pk).update(source=source)

    progress = runs.run_progress(run)

    assert progress.sources == {"model": 1, "template": 1, "precomputed": 1}
    assert progress.known == 2
    assert sources_said(progress.sources) == "1 newly written, 1 filled from their family's text, 1 written overnight"
