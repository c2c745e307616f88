"""The caps that people set on model spend, and what is spent and held under them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now, TruncMonth

from accounts import budgets
from accounts.audit import record
from accounts.dollars import MOST_DOLLARS, NANOS_PER_CENT, NANOS_PER_DOLLAR, decimal_usd
from accounts.models import Action, ApiKey, Budget, Membership, TenantQuerySet, Workspace
from contentopt.errors import DomainError

HIGHEST_CAP_NANOS = MOST_DOLLARS * NANOS_PER_DOLLAR


class CapRefused(DomainError):
    """Not a cap this workspace can have. Nothing was changed."""

    code = "cap_refused"


@dataclass(frozen=True, slots=True)
class BudgetState:
    """What one cap allows now. Nano-dollars; None where there is no limit.

    `limit_nanos` is in force: the lower of the plan's and one's own. What is beyond it, because it was lowered or a
    provider billed more than was asked, is `overdraft_nanos`. A run's budget never resets.
    """

    limit_nanos: int | None
    plan_limit_nanos: int | None
    own_cap_nanos: int | None
    spent_nanos: int
    held_nanos: int
    overdraft_nanos: int
    starts_at: datetime
    resets_at: datetime | None

    @property
    def used_nanos(self) -> int:
        return self.spent_nanos + self.held_nanos

    @property
    def left_nanos(self) -> int | None:
        return None if self.limit_nanos is None else max(self.limit_nanos - self.used_nanos, 0)

    @property
    def is_used_up(self) -> bool:
        return self.left_nanos == 0

    @property
    def note(self) -> str:
        """What a used up cap means, in words; empty while there is room."""
        if not self.is_used_up:
            return ""
        until = f"until {self.resets_at:%-d %B}" if self.resets_at else "under this cap"
        if not self.used_nanos:
            return f"The cap is $0, so nothing that costs money is written {until}."
        cents = -(-self.used_nanos // NANOS_PER_CENT) * NANOS_PER_CENT
        return f"${decimal_usd(cents)} is spent or held already, so nothing more is written {until}."


def workspace_budget(workspace: Workspace) -> BudgetState:
    """The workspace's cap of this month, also before anything was spent in it."""
    budget = _current(workspace, Budget.Scope.WORKSPACE).filter(scope_id=workspace.pk).first()
    plan_limit, own_cap = workspace.plan.spend_cap_nanos, workspace.spend_cap_nanos
    return _opened(budget, plan_limit, own_cap) if budget else _unopened(_month(workspace), plan_limit, own_cap)


def member_budgets(workspace: Workspace) -> list[tuple[Membership, BudgetState]]:
    """Every member, by e-mail."""
    members = Membership.objects.in_workspace(workspace).select_related("user").order_by("user__email")
    state_of = _states(workspace, Budget.Scope.MEMBER)
    return [(member, state_of(member.user_id, member.spend_cap_nanos)) for member in members]


def key_budgets(workspace: Workspace) -> list[tuple[ApiKey, BudgetState]]:
    """Every key that works, newest first."""
    keys = ApiKey.objects.in_workspace(workspace).filter(revoked_at=None)
    state_of = _states(workspace, Budget.Scope.KEY)
    return [(key, state_of(key.pk, key.spend_cap_nanos)) for key in keys]


def key_budget(key: ApiKey) -> BudgetState | None:
    """Of one key; None when it has no cap of its own."""
    if key.spend_cap_nanos is None:
        return None
    return _states(key.workspace, Budget.Scope.KEY)(key.pk, key.spend_cap_nanos)


def run_budgets(workspace: Workspace, run_ids: Collection[UUID]) -> dict[UUID, BudgetState]:
    """Of those runs that have a cap."""
    found = Budget.objects.in_workspace(workspace).filter(scope=Budget.Scope.RUN, scope_id__in=run_ids)
    return {budget.scope_id: _opened(budget, None, budget.limit_nanos) for budget in found}


def _current(workspace: Workspace, scope: str) -> TenantQuerySet[Budget]:
    return Budget.objects.in_workspace(workspace).filter(scope=scope, period_start__lte=Now(), period_end__gt=Now())


def _month(workspace: Workspace) -> datetime:
    """When the current one began, by the clock that budgets go by."""
    start: datetime = Workspace.objects.filter(pk=workspace.pk).values_list(TruncMonth(Now(), tzinfo=UTC)).get()[0]
    return start


def _states(workspace: Workspace, scope: str) -> Callable[[UUID, int | None], BudgetState]:
    budget_of = {budget.scope_id: budget for budget in _current(workspace, scope)}
    month = _month(workspace)

    def state_of(scope_id: UUID, own_cap: int | None) -> BudgetState:
        budget = budget_of.get(scope_id)
        return _opened(budget, None, own_cap) if budget else _unopened(month, None, own_cap)

    return state_of


def _opened(budget: Budget, plan_limit: int | None, own_cap: int | None) -> BudgetState:
    return BudgetState(
        limit_nanos=budget.limit_nanos,
        plan_limit_nanos=plan_limit,
        own_cap_nanos=own_cap,
        spent_nanos=budget.spent_nanos,
        held_nanos=budget.reserved_nanos,
        overdraft_nanos=budget.overdraft_nanos,
        starts_at=budget.period_start,
        resets_at=budget.period_end,
    )


def _unopened(month: datetime, plan_limit: int | None, own_cap: int | None) -> BudgetState:
    """The first hold of a month opens its budget; until then the caps alone say what the limit will be."""
    return BudgetState(
        limit_nanos=min((cap for cap in (plan_limit, own_cap) if cap is not None), default=None),
        plan_limit_nanos=plan_limit,
        own_cap_nanos=own_cap,
        spent_nanos=0,
        held_nanos=0,
        overdraft_nanos=0,
        starts_at=month,
        resets_at=month.replace(year=month.year + month.month // 12, month=month.month % 12 + 1),
    )


@transaction.atomic
def set_workspace_cap(*, workspace: Workspace, cap_nanos: int | None) -> BudgetState:
    """The owner's own cap from now on; None is the plan's alone. Raises CapRefused (422).

    It may be lower than what is spent: then nothing more is written, and `note` of the reply says so.
    """
    check_cap(workspace, cap_nanos)
    Workspace.objects.filter(pk=workspace.pk).update(spend_cap_nanos=cap_nanos)
    record(Action.CAP_CHANGED, workspace=workspace, of="workspace", before=workspace.spend_cap_nanos, after=cap_nanos)
    workspace.spend_cap_nanos = cap_nanos
    budgets.apply_limits(workspace.pk)
    return workspace_budget(workspace)


@transaction.atomic
def set_night_cap(*, workspace: Workspace, cap_nanos: int | None) -> None:
    """What one night may spend on texts that nobody has asked for yet; None and 0 are the same: none are written.
    Raises CapRefused (422)."""
    check_cap(workspace, cap_nanos)
    Workspace.objects.filter(pk=workspace.pk).update(night_cap_nanos=cap_nanos)
    record(Action.CAP_CHANGED, workspace=workspace, of="nights", before=workspace.night_cap_nanos, after=cap_nanos)
    workspace.night_cap_nanos = cap_nanos


@transaction.atomic
def set_member_cap(*, workspace: Workspace, membership: Membership, cap_nanos: int | None) -> BudgetState:
    """What one member may spend a month; None is no cap of their own. Raises CapRefused (422)."""
    check_cap(workspace, cap_nanos)
    Membership.objects.in_workspace(workspace).filter(pk=membership.pk).update(spend_cap_nanos=cap_nanos)
    change: dict[str, Any] = {"before": membership.spend_cap_nanos, "after": cap_nanos}
    record(Action.CAP_CHANGED, workspace=workspace, target=membership.user, of="member", **change)
    membership.spend_cap_nanos = cap_nanos
    budgets.apply_limits(workspace.pk)
    return _states(workspace, Budget.Scope.MEMBER)(membership.user_id, cap_nanos)


@transaction.atomic
def limit_member(
    *, workspace: Workspace, membership: Membership, burst_per_minute: int | None, requests_per_day: int | None
) -> None:
    """How often one member may ask on the pages, below what the plan allows; None is no limit of their own."""
    limits: dict[str, Any] = {"burst_per_minute": burst_per_minute, "requests_per_day": requests_per_day}
    Membership.objects.in_workspace(workspace).filter(pk=membership.pk).update(**limits)
    record(Action.LIMITS_CHANGED, workspace=workspace, target=membership.user, **limits)


def check_cap(workspace: Workspace, cap_nanos: int | None) -> None:
    """$0 to $1,000,000 and never above the plan's. Raises CapRefused."""
    if cap_nanos is None:
        return
    if not 0 <= cap_nanos <= HIGHEST_CAP_NANOS:
        highest = decimal_usd(HIGHEST_CAP_NANOS)
        raise CapRefused(f"A cap is between $0 and ${MOST_DOLLARS:,}.", details={"highest_usd": highest})
    plan = workspace.plan
    if plan.spend_cap_nanos is not None and cap_nanos > plan.spend_cap_nanos:
        highest = decimal_usd(plan.spend_cap_nanos)
        raise CapRefused(
            f"The {plan} plan allows at most ${highest} a month. Choose that or less, or change the plan.",
            details={"plan_limit_usd": highest},
        )
