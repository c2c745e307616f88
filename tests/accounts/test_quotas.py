"""Products of a month: counted once, and only when they are written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db.models import F

from accounts.models import CountedProduct, Notice, Plan, UsagePeriod, Workspace
from accounts.quotas import QuotaExceeded, confirm, give_back, sweep_pending, take, used_products
from accounts.services.workspaces import change_plan

pytestmark = pytest.mark.django_db


def limit_to(shop: Workspace, products: int | None) -> None:
    plan, _ = Plan.objects.update_or_create(
        slug=f"of-{products}", defaults={"name": f"Plan of {products}", "products_per_month": products}
    )
    change_plan(workspace=shop, plan=plan)


def write(shop: Workspace, *keys: str) -> None:
    for key in keys:
        confirm(take(shop.pk, key))


def used(shop: Workspace) -> int:
    count = used_products(shop).used
    assert count == CountedProduct.objects.in_workspace(shop).count()
    return count


def topics(shop: Workspace) -> list[str]:
    """Of this month's notices, without the month."""
    kept = Notice.objects.in_workspace(shop).order_by("details__percent").values_list("topic", flat=True)
    month = datetime.now(UTC)
    return [topic.removeprefix(f"quota/{month:%Y-%m}/") for topic in kept]


def numbered(count: int, start: int = 1) -> list[str]:
    return [f"N-{n}" for n in range(start, start + count)]


def test_products_are_counted_until_the_limit_and_then_refused(shop: Workspace) -> None:
    limit_to(shop, 3)
    write(shop, *numbered(3))

    with pytest.raises(QuotaExceeded):
        take(shop.pk, "N-4")

    assert used(shop) == 3


def test_product_written_again_in_the_month_counts_once_and_is_never_refused(shop: Workspace) -> None:
    limit_to(shop, 1)
    write(shop, "A-1", "A-1", "A-1")
    assert used(shop) == 1


def test_refusal_names_limit_and_reset_date_and_that_known_texts_stay_free(shop: Workspace) -> None:
    limit_to(shop, 1)
    write(shop, "A-1")
    with pytest.raises(QuotaExceeded) as refused:
        take(shop.pk, "A-2")

    error, resets_at = refused.value, used_products(shop).resets_at
    assert (error.code, error.status) == ("quota_exceeded", 402)
    assert error.details == {"limit": 1, "used": 1, "resets_at": resets_at.isoformat()}
    for words in ("The Plan of 1 plan has 1 products a month", f"{resets_at:%-d %B}", "still free"):
        assert words in error.message


def test_product_that_fails_costs_nothing(shop: Workspace) -> None:
    limit_to(shop, 1)

    assert give_back(take(shop.pk, "A-1"))

    assert used(shop) == 0
    write(shop, "A-2")
    assert used(shop) == 1


def test_written_product_is_not_given_back_by_a_rewrite_that_fails(shop: Workspace) -> None:
    limit_to(shop, 5)
    first = take(shop.pk, "A-1")
    confirm(first)

    assert not give_back(take(shop.pk, "A-1"))
    assert not give_back(first)

    assert used(shop) == 1


def test_place_that_two_hold_is_not_given_back_by_the_one_that_fails(shop: Workspace) -> None:
    """Else another product could take it, and the one still being written would be beyond the limit."""
    limit_to(shop, 1)
    fails, succeeds = take(shop.pk, "A-1"), take(shop.pk, "A-1")

    assert not give_back(fails)
    with pytest.raises(QuotaExceeded):
        take(shop.pk, "A-2")
    confirm(succeeds)

    assert used(shop) == 1


def test_place_that_two_held_and_both_failed_is_swept(shop: Workspace, settings: Any) -> None:
    settings.QUOTA_PENDING_SECONDS = -1
    for taken in [take(shop.pk, "A-1"), take(shop.pk, "A-1")]:
        assert not give_back(taken)

    assert sweep_pending() == 1
    assert used(shop) == 0


def test_place_of_a_dead_worker_is_swept_after_its_time_and_not_before(shop: Workspace, settings: Any) -> None:
    limit_to(shop, 5)
    write(shop, "A-1")
    take(shop.pk, "A-2")
    assert sweep_pending() == 0

    settings.QUOTA_PENDING_SECONDS = -1
    take(shop.pk, "A-3")

    assert sweep_pending() == 1
    assert set(CountedProduct.objects.in_workspace(shop).values_list("product_key", flat=True)) == {"A-1", "A-2"}
    assert used(shop) == 2


def test_product_written_after_its_place_was_swept_counts_even_beyond_the_limit(shop: Workspace, settings: Any) -> None:
    limit_to(shop, 1)
    settings.QUOTA_PENDING_SECONDS = -1
    slow = take(shop.pk, "A-1")
    sweep_pending()
    write(shop, "A-2")

    confirm(slow)

    assert used(shop) == 2
    assert used_products(shop).left == 0
    assert sweep_pending() == 0


def test_confirming_twice_counts_once(shop: Workspace) -> None:
    taken = take(shop.pk, "A-1")
    confirm(taken)
    confirm(taken)
    assert used(shop) == 1


def test_smaller_plan_admits_nothing_more_and_says_why(shop: Workspace) -> None:
    limit_to(shop, 10)
    write(shop, *numbered(4))
    limit_to(shop, 2)

    with pytest.raises(QuotaExceeded, match="4 were used before that became the limit"):
        take(shop.pk, "N-5")

    write(shop, "N-1")  # one that counts already
    use = used_products(shop)
    assert (use.limit, use.used, use.left) == (2, 4, 0)
    assert topics(shop) == ["50", "80", "100"]


def test_larger_plan_holds_at_once_whatever_the_caller_has_loaded(shop: Workspace) -> None:
    limit_to(shop, 1)
    write(shop, "A-1")

    Plan.objects.filter(slug="of-1").update(products_per_month=2)

    write(shop, "A-2")
    assert used_products(shop).limit == 2


def test_plan_without_a_limit_counts_and_tells_nothing(shop: Workspace) -> None:
    write(shop, *numbered(3))
    use = used_products(shop)
    assert (use.limit, use.used, use.left) == (None, 3, None)
    assert topics(shop) == []


def test_workspaces_count_apart(shop: Workspace, other_shop: Workspace) -> None:
    limit_to(shop, 1)
    limit_to(other_shop, 1)

    write(shop, "A-1")
    write(other_shop, "A-1")

    assert (used(shop), used(other_shop)) == (1, 1)


def test_months_are_the_calendars_in_utc_and_each_starts_afresh(shop: Workspace) -> None:
    limit_to(shop, 1)
    write(shop, "A-1")
    period = UsagePeriod.objects.in_workspace(shop).get()
    now = datetime.now(UTC)
    assert period.period_start == datetime(now.year, now.month, 1, tzinfo=UTC)
    assert period.period_end == (period.period_start + timedelta(days=32)).replace(day=1)
    assert used_products(shop).resets_at == period.period_end

    a_month = timedelta(days=28)  # as if it had been last month
    for rows in (UsagePeriod.objects.in_workspace(shop), CountedProduct.objects.in_workspace(shop)):
        rows.update(period_start=F("period_start") - a_month)

    assert used_products(shop).used == 0
    write(shop, "A-1")
    assert used_products(shop).used == 1


def test_product_confirmed_after_its_month_ended_counts_in_that_month(shop: Workspace) -> None:
    taken = take(shop.pk, "A-1")
    a_month = timedelta(days=28)
    for rows in (UsagePeriod.objects.in_workspace(shop), CountedProduct.objects.in_workspace(shop)):
        rows.update(period_start=F("period_start") - a_month)
    write(shop, "A-2")

    confirm(type(taken)(shop.pk, "A-1", taken.period_start - a_month, taken.row_id, taken.pending_until))

    assert set(UsagePeriod.objects.in_workspace(shop).values_list("products_used", flat=True)) == {1}


def test_thresholds_are_told_once_when_the_products_are_written(shop: Workspace) -> None:
    limit_to(shop, 10)
    write(shop, *numbered(4))
    assert topics(shop) == []

    write(shop, "N-5")
    assert topics(shop) == ["50"]

    write(shop, *numbered(5, start=6), "N-1")
    assert topics(shop) == ["50", "80", "100"]
    notice = Notice.objects.in_workspace(shop).get(details__percent=80)
    assert (notice.kind, notice.details["used"], notice.details["limit"]) == (Notice.Kind.QUOTA, 8, 10)
    assert notice.details["resets_at"] == used_products(shop).resets_at.isoformat()


def test_products_that_may_yet_fail_pass_no_threshold(shop: Workspace) -> None:
    limit_to(shop, 4)
    being_written = [take(shop.pk, key) for key in numbered(4)]
    confirm(being_written[0])
    assert topics(shop) == []

    confirm(being_written[1])
    assert topics(shop) == ["50"]


def test_thresholds_are_the_workspaces_own(shop: Workspace) -> None:
    limit_to(shop, 4)
    Workspace.objects.filter(pk=shop.pk).update(alert_thresholds=[25])
    write(shop, *numbered(4))
    assert topics(shop) == ["25"]
