"""What of a run was not written is written after all, at a price that is told before."""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.conf import settings
from django.db import transaction

from accounts import budgets
from accounts.budgets import BudgetExhausted
from accounts.dollars import about_usd, decimal_usd, most_usd, round_usd, usd
from accounts.models import Budget
from contentopt.errors import Conflict
from contentopt.jobs import JobState
from generation.engine.items import hand_out, payer_of
from generation.models import Product, Run
from generation.services.runs import Estimate, estimate_run, requeue_items


@dataclass(frozen=True, slots=True)
class Retry:
    """What it would do, before it starts. Nano-dollars; `room_nanos` is what the run's own cap leaves, None without."""

    estimate: Estimate
    urgency: str
    used_nanos: int  # spent and held
    cap_nanos: int | None

    @property
    def likely_nanos(self) -> int:
        return self.estimate.likely_for(self.urgency)

    @property
    def most_nanos(self) -> int:
        return self.estimate.most_nanos(self.urgency)

    @property
    def fits_other_caps(self) -> bool:
        return self.estimate.is_likely_to_fit(self.urgency)

    @property
    def room_nanos(self) -> int | None:
        return None if self.cap_nanos is None else max(self.cap_nanos - self.used_nanos, 0)

    @property
    def is_likely_to_fit(self) -> bool:
        return self.room_nanos is None or self.estimate.likely_need(self.urgency) <= self.room_nanos

    @property
    def suggested_nanos(self) -> int:
        """A cap with room for twice what is likely."""
        twice = self.likely_nanos + self.estimate.likely_need(self.urgency)
        return min(self.used_nanos + twice, self.enough_nanos)

    @property
    def enough_nanos(self) -> int:
        """The cap that surely leaves room for all of it."""
        return self.used_nanos + self.most_nanos


def price_retry(run: Run) -> Retry:
    """Raises Conflict where there is nothing to retry, ProviderUnavailable where no model is on."""
    ended = Product.objects.in_workspace(run.workspace_id).filter(
        run_items__run=run, run_items__state__in=(JobState.FAILED, JobState.CANCELLED)
    )
    # The run's own cap is told apart: whoever retries may raise that one.
    estimate = estimate_run(payer=replace(payer_of(run), run_id=None), products=ended, wishes=run.brief)
    if not estimate.products:
        raise Conflict("No product of this run failed, so there is nothing to retry.")
    budget = _budget(run)
    used = budget.spent_nanos + budget.reserved_nanos if budget else 0
    return Retry(estimate, run.urgency, used, run.cap_nanos)


def retry_failed(run: Run, *, cap_nanos: int | None = None) -> int:
    """Queue the failed and cancelled items again, with a fresh set of attempts.

    A run without a cap is allowed what they can cost. One that has a cap stays under it, or under the one that is given
    here, which is its cap from now on. Raises BudgetExhausted, and queues nothing, where the present cap has no room
    for what they are likely to cost and none is known to be free: whoever retries then says where to stop.
    """
    price = price_retry(run)
    _refuse_without_room(run, price, cap_nanos)
    cap = run.cap_nanos if cap_nanos is None else cap_nanos
    with transaction.atomic():
        again = requeue_items(run.items.all())
        budgets.allow_run(workspace_id=run.workspace_id, run_id=run.pk, room_nanos=price.most_nanos, cap_nanos=cap)
        run.cap_nanos, run.ceiling_nanos = cap, max(run.ceiling_nanos, price.enough_nanos)
        run.save(update_fields=["cap_nanos", "ceiling_nanos"])
    hand_out(run.pk, settings.RUN_WINDOW)
    return again


def _refuse_without_room(run: Run, price: Retry, cap_nanos: int | None) -> None:
    asked = price if cap_nanos is None else replace(price, cap_nanos=cap_nanos)
    is_told_where_to_stop = cap_nanos is not None and asked.room_nanos
    if asked.is_likely_to_fit or is_told_where_to_stop or price.estimate.known:
        return
    budget = _budget(run)
    raise BudgetExhausted(
        f"A cap of {usd(asked.cap_nanos or 0)} for this run leaves {round_usd(asked.room_nanos)}, and what is left to "
        f"write is likely to cost {about_usd(price.likely_nanos)} ({most_usd(price.most_nanos)} at most). Nothing was "
        "begun and nothing was charged. Say where the run is to stop, what is spent already included: "
        f"{most_usd(price.suggested_nanos)} is likely enough, {most_usd(price.enough_nanos)} surely.",
        details={
            **(budgets.refusal_details(budget, price.most_nanos) if budget else {}),
            "likely_enough_usd": decimal_usd(price.suggested_nanos),
            "enough_usd": decimal_usd(price.enough_nanos),
        },
    )


def _budget(run: Run) -> Budget | None:
    return Budget.objects.in_workspace(run.workspace_id).filter(scope=Budget.Scope.RUN, scope_id=run.pk).first()
