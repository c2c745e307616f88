"""Runs that wait for a provider's batch: half the price, the same texts, and books that agree whatever it does."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import CountedProduct, Reservation, UsageEntry, Workspace
from generation.batches.queue import advance
from generation.engine.items import payer_of
from generation.models import BatchPart, CachedText, LlmBatch, LlmCall, LlmModel, Product, Run, Text
from generation.services import runs
from tests.factories import make_catalogue, make_file, make_run, numbered_rows
from tests.generation.batch_runs import (
    advance_all,
    assert_books_agree,
    bring_to_an_end,
    part_states,
    states,
    write_due,
)
from tests.provider_batches import cost_of
from tests.servers import KEY, Provider

pytestmark = pytest.mark.django_db


both = pytest.mark.parametrize("vendor", ["anthropic", "openai"], indirect=True)


@pytest.fixture
def vendor(provider: Provider, settings: Any, request: pytest.FixtureRequest) -> Provider:
    settings.BATCH_POLL_SECONDS = 0.01
    if getattr(request, "param", "anthropic") == "anthropic":
        settings.ANTHROPIC_API_KEY, settings.ANTHROPIC_BASE_URL = KEY, provider.url
    else:
        settings.OPENAI_API_KEY, settings.OPENAI_BASE_URL = KEY, f"{provider.url}/v1"
    return provider


def later_run(shop: Workspace, count: int = 3) -> Run:
    return make_run(make_catalogue(shop, make_file(numbered_rows(count))), urgency="later")


@both
def test_run_that_can_wait_costs_half_and_writes_the_same_texts(shop: Workspace, vendor: Provider) -> None:
    run = later_run(shop)

    bring_to_an_end(run)

    assert (run.state, states(run)) == (Run.State.FINISHED, ["done"] * 3)
    served = vendor.meter()["batched"]
    assert (len(served), vendor.meter()["requests"]) == (3, 0)
    assert_books_agree(shop, vendor)
    lines = UsageEntry.objects.in_workspace(shop)
    assert {(line.answers, line.calls, line.basis, line.endpoint) for line in lines} == {(1, 1, "exact", "run")}
    texts = Text.objects.in_workspace(shop).filter(run_item__run=run)
    assert sum(text.cost_nanos for text in texts) == cost_of(served)
    assert {text.source for text in texts} == {"model"}
    assert all("stoneware" in text.description for text in texts)
    progress = runs.batch_progress(run)
    assert progress is not None
    assert progress.sent == 0
    assert 0 <= cost_of(served) - progress.saved_nanos <= len(served)  # half, but for what is rounded up


def test_price_is_told_before_and_is_half_of_the_ordinary_one(shop: Workspace, vendor: Provider) -> None:
    run = later_run(shop)
    estimate = runs.estimate_run(payer=payer_of(run), products=Product.objects.in_workspace(shop), wishes=run.brief)

    assert estimate.later is not None
    assert run.ceiling_nanos == estimate.later.ceiling_nanos
    assert abs(2 * estimate.later.ceiling_nanos - estimate.ceiling_nanos) < 100
    write_due(run)
    held = Reservation.objects.in_workspace(shop).filter(state="held")
    assert 0 < 2 * sum(hold.amount_nanos for hold in held) <= run.ceiling_nanos


def test_texts_are_waited_for_without_a_worker_and_without_using_up_attempts(shop: Workspace, vendor: Provider) -> None:
    vendor.treat_batches(hold=True)
    run = later_run(shop)

    for _ in range(8):
        write_due(run)
        advance_all(run)

    assert states(run) == ["queued"] * 3
    assert [item.attempt for item in run.items.all()] == [0] * 3
    assert [batch["size"] for batch in vendor.meter()["batches"]] == [3]
    progress = runs.batch_progress(run)
    assert progress is not None
    assert (progress.sent, progress.gathering) == (3, 0)
    assert progress.since is not None


def test_variants_of_a_family_share_one_request_and_are_filled_when_it_is_back(
    shop: Workspace, vendor: Provider
) -> None:
    rows = [f"V-{n},Alder Mug {color},stoneware,{color}," for n, color in enumerate(("blue", "red", "green"))]
    run = make_run(make_catalogue(shop, make_file(rows)), urgency="later")

    bring_to_an_end(run)

    assert states(run) == ["done"] * 3
    assert len(vendor.meter()["batched"]) == 1
    texts = {
        text.product.title: text for text in Text.objects.in_workspace(shop).select_related("product") if text.product
    }
    assert sorted(text.source for text in texts.values()) == ["model", "template", "template"]
    assert all(title.split()[-1] in text.description for title, text in texts.items())
    assert_books_agree(shop, vendor)


def test_equal_briefs_of_two_runs_are_asked_for_once(shop: Workspace, vendor: Provider) -> None:
    first = later_run(shop)
    second = make_run(first.catalogue or make_catalogue(shop), urgency="later")
    for run in (first, second):
        write_due(run)

    for run in (first, second):
        bring_to_an_end(run)

    assert (states(first), states(second)) == (["done"] * 3, ["done"] * 3)
    assert len(vendor.meter()["batched"]) == 3
    assert_books_agree(shop, vendor)


def test_text_that_fails_the_check_is_asked_for_once_more_in_the_next_batch(shop: Workspace, vendor: Provider) -> None:
    vendor.behave({"text": "A golden mug, dishwasher safe."}, {})
    run = later_run(shop, 1)

    bring_to_an_end(run)

    assert states(run) == ["done"]
    assert [batch["size"] for batch in vendor.meter()["batches"]] == [1, 1]
    calls = LlmCall.objects.in_workspace(shop).order_by("created_at")
    assert [(call.outcome, call.attempt) for call in calls] == [("refused", 1), ("accepted", 2)]
    assert Text.objects.in_workspace(shop).get().cost_nanos == cost_of(vendor.meter()["batched"])
    assert_books_agree(shop, vendor)


def test_text_that_fails_the_check_twice_is_asked_for_one_tier_up(shop: Workspace, vendor: Provider) -> None:
    vendor.behave(*[{"text": "A golden mug, dishwasher safe."}] * 2, {})
    run = later_run(shop, 1)

    bring_to_an_end(run)

    assert states(run) == ["done"]
    calls = LlmCall.objects.in_workspace(shop).order_by("created_at")
    assert [(call.tier, call.attempt) for call in calls] == [("economy", 1), ("economy", 2), ("standard", 1)]
    text = Text.objects.in_workspace(shop).get()
    assert text.cost_nanos == cost_of(vendor.meter()["batched"]) <= run.ceiling_nanos
    assert "by batch" in text.explanation[-1]["reason"]
    assert_books_agree(shop, vendor)


def test_text_that_never_passes_the_check_fails_with_its_words(shop: Workspace, vendor: Provider) -> None:
    vendor.behave({"text": "A golden mug, dishwasher safe."})
    run = later_run(shop, 1)

    bring_to_an_end(run)

    assert states(run) == ["failed"]
    assert "states only this product's facts" in run.items.get().failure
    assert len(vendor.meter()["batched"]) == 4
    assert_books_agree(shop, vendor)
    assert not CountedProduct.objects.in_workspace(shop).exists()


@both
def test_what_expires_is_free_and_asked_for_again(shop: Workspace, vendor: Provider) -> None:
    vendor.treat_batches(expired=2)
    run = later_run(shop)
    write_due(run)
    advance_all(run)
    advance_all(run)
    assert sorted(part_states(run)) == ["answered", "failed", "failed"]
    vendor.treat_batches(expired=0)

    bring_to_an_end(run)

    assert states(run) == ["done"] * 3
    assert [batch["size"] for batch in vendor.meter()["batches"]] == [3, 2]
    assert_books_agree(shop, vendor)


def test_what_always_expires_ends_with_the_reason(shop: Workspace, vendor: Provider) -> None:
    vendor.treat_batches(expired=1)
    run = later_run(shop, 1)

    bring_to_an_end(run)

    assert states(run) == ["failed"]
    assert "3 batches" in run.items.get().failure
    assert "24 hours" in run.items.get().failure
    assert_books_agree(shop, vendor)
    assert not CountedProduct.objects.in_workspace(shop).exists()


@both
def test_refused_request_costs_nothing_and_leaves_the_others_alone(shop: Workspace, vendor: Provider) -> None:
    vendor.treat_batches(errored=1)
    run = later_run(shop)

    bring_to_an_end(run)

    assert sorted(states(run)) == ["done", "done", "failed"]
    (failed,) = runs.failed_items(run)
    assert "invalid_request_error" in failed.failure
    assert "product_facts" not in failed.failure
    assert_books_agree(shop, vendor)


@both
def test_result_that_never_comes_counts_at_its_ceiling(shop: Workspace, vendor: Provider) -> None:
    vendor.treat_batches(omitted=1)
    run = later_run(shop, 2)
    write_due(run)
    advance_all(run)
    advance_all(run)
    vendor.treat_batches(omitted=0)

    bring_to_an_end(run)

    assert states(run) == ["done"] * 2
    bases = UsageEntry.objects.in_workspace(shop).order_by("basis").values_list("basis", flat=True)
    assert list(bases) == ["ceiling", "exact", "exact"]


@both
def test_batch_that_the_provider_will_not_have_ends_its_items_with_the_reason(
    shop: Workspace, vendor: Provider
) -> None:
    vendor.treat_batches(create_status=400)
    run = later_run(shop)

    bring_to_an_end(run)

    assert states(run) == ["failed"] * 3
    assert "The provider answered 400" in runs.failed_items(run)[0].failure
    assert LlmBatch.objects.in_workspace(shop).get().stage == LlmBatch.Stage.REFUSED
    assert_books_agree(shop, vendor)


def test_provider_that_is_away_is_waited_for(shop: Workspace, vendor: Provider) -> None:
    vendor.treat_batches(create_status=503)
    run = later_run(shop)
    write_due(run)
    assert advance_all(run) == ["submitting"]
    vendor.treat_batches(create_status=200)

    bring_to_an_end(run)

    assert states(run) == ["done"] * 3
    assert len(vendor.meter()["batches"]) == 1
    assert_books_agree(shop, vendor)


@both
def test_batch_whose_reply_was_lost_is_found_again_and_not_paid_twice(shop: Workspace, vendor: Provider) -> None:
    vendor.treat_batches(loses=True)
    run = later_run(shop)
    write_due(run)
    assert advance_all(run) == ["submitting"]
    vendor.treat_batches(loses=False)

    bring_to_an_end(run)

    assert states(run) == ["done"] * 3
    assert len(vendor.meter()["batches"]) == 1
    assert_books_agree(shop, vendor)


@both
def test_cancelled_run_keeps_what_the_provider_has_written_and_pays_for_that_alone(
    shop: Workspace, vendor: Provider
) -> None:
    vendor.treat_batches(hold=True, served_before_cancel=1)
    run = later_run(shop)
    write_due(run)
    advance_all(run)

    runs.cancel_run(run)
    bring_to_an_end(run, rounds=6)

    assert sorted(states(run)) == ["cancelled", "cancelled", "done"]
    assert vendor.meter()["batches"][0]["cancelled"]
    assert len(vendor.meter()["batched"]) == 1
    assert_books_agree(shop, vendor)
    assert CountedProduct.objects.in_workspace(shop).count() == 1
    assert {part.state for part in BatchPart.objects.in_workspace(shop)} == {"taken", "failed"}


def test_cancelled_before_it_is_sent_nothing_is_sent(shop: Workspace, vendor: Provider) -> None:
    run = later_run(shop)
    write_due(run)

    runs.cancel_run(run)
    bring_to_an_end(run, rounds=2)

    assert states(run) == ["cancelled"] * 3
    assert vendor.meter()["batches"] == []
    assert not LlmCall.objects.in_workspace(shop).exists()
    assert not CountedProduct.objects.in_workspace(shop).exists()
    assert_books_agree(shop, vendor)


def test_paused_run_is_sent_when_it_is_resumed(shop: Workspace, vendor: Provider) -> None:
    run = later_run(shop)
    write_due(run)
    runs.pause_run(run)
    assert advance_all(run) == ["building"]

    runs.resume_run(run)
    bring_to_an_end(run)

    assert states(run) == ["done"] * 3
    assert len(vendor.meter()["batches"]) == 1


def test_text_that_another_way_was_faster_to_is_paid_for_and_not_stored_again(
    shop: Workspace, vendor: Provider
) -> None:
    vendor.treat_batches(hold=True)
    run = later_run(shop, 1)
    write_due(run)
    advance_all(run)
    now = make_run(run.catalogue or make_catalogue(shop))
    assert write_due(now) == 1
    vendor.treat_batches(hold=False)

    bring_to_an_end(run)

    assert (states(run), states(now)) == (["done"], ["done"])
    outcomes = LlmCall.objects.in_workspace(shop).order_by("is_batched").values_list("outcome", flat=True)
    assert list(outcomes) == ["accepted", "unused"]
    line = UsageEntry.objects.in_workspace(shop).get(
        reservation_id=LlmCall.objects.in_workspace(shop).get(is_batched=True).pk
    )
    assert (line.cost_nanos, line.answers) == (cost_of(vendor.meter()["batched"]), 0)


def test_room_that_other_parts_hold_is_waited_for_and_each_fitting_round_is_sent(
    shop: Workspace, vendor: Provider
) -> None:
    catalogue = make_catalogue(shop, make_file(numbered_rows(3)))
    probe = make_run(catalogue, urgency="later")
    write_due(probe)
    most_of_one = max(hold.amount_nanos for hold in Reservation.objects.in_workspace(shop))
    runs.cancel_run(probe)
    bring_to_an_end(probe, rounds=2)
    run = runs.start_run(
        workspace=shop,
        products=Product.objects.in_workspace(shop),
        wishes=probe.brief,
        catalogue=catalogue,
        urgency="later",
        cap_nanos=most_of_one + most_of_one // 2,
    )
    write_due(run)
    assert part_states(run) == ["waiting"]
    advance_all(run)
    advance_all(run)
    run.items.update(next_run_at=run.created_at)

    write_due(run)

    assert "done" in states(run)
    assert part_states(run)[0] == "taken"
    assert len(part_states(run)) == 2


def test_where_no_model_takes_batches_the_run_says_so_and_runs_now(shop: Workspace, vendor: Provider) -> None:
    LlmModel.objects.update(has_batch=False)

    run = later_run(shop, 1)

    assert run.urgency == Run.Urgency.NOW
    assert "no model that writes here takes batches" in run.remark
    assert write_due(run) == 1
    assert (states(run), vendor.meter()["requests"]) == (["done"], 1)


def test_without_a_vendor_the_offline_writer_writes_now(shop: Workspace) -> None:
    run = later_run(shop, 1)

    assert write_due(run) == 1
    assert states(run) == ["done"]


def test_answer_is_kept_by_the_cache_so_that_a_second_run_is_free(shop: Workspace, vendor: Provider) -> None:
    bring_to_an_end(later_run(shop, 2))

    again = make_run(Run.objects.in_workspace(shop)[0].catalogue or make_catalogue(shop), urgency="later")
    write_due(again)

    assert states(again) == ["done"] * 2
    assert CachedText.objects.in_workspace(shop).count() == 2
    assert len(vendor.meter()["batched"]) == 2


def test_advancing_what_is_collected_changes_nothing(shop: Workspace, vendor: Provider) -> None:
    run = bring_to_an_end(later_run(shop, 1))
    (batch,) = run.batches.all()

    assert advance(batch.pk) is None
    assert_books_agree(shop, vendor)
