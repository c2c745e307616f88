from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import Case, When
from django.utils.text import slugify

from accounts import budgets
from accounts.acting import actor_or
from accounts.audit import record
from accounts.models import Action, Membership, Plan, Role, Standing, User, Workspace
from accounts.retiring import retire_on_commit
from accounts.signals import plan_changed, workspace_created
from contentopt.errors import Conflict, DomainError
from contentopt.tenancy import entering

MOST_FREE = 5  # that one person may own

# Mail hosts that say nothing about the shop: the workspace is named from the part before the @ instead.
PUBLIC_MAIL_HOSTS = frozenset(
    [
        "gmail.com",
        "googlemail.com",
        "outlook.com",
        "hotmail.com",
        "live.com",
        "yahoo.com",
        "icloud.com",
        "me.com",
        "proton.me",
        "protonmail.com",
        "aol.com",
        "gmx.com",
        "gmx.de",
        "gmx.net",
        "web.de",
        "t-online.de",
        "mail.com",
        "fastmail.com",
        "yandex.com",
        "orange.fr",
        "free.fr",
        "libero.it",
    ]
)


def workspace_name(email: str) -> str:
    """`mia@alder-goods.co.uk` -> "Alder Goods"; `mia.jones@gmail.com` -> "Mia Jones"."""
    local, _, host = email.partition("@")
    source = local.partition("+")[0] if host.lower() in PUBLIC_MAIL_HOSTS else host.partition(".")[0]
    words = slugify(source.replace(".", "-").replace("_", "-")).replace("-", " ")
    return words.title()[:80] or "My shop"


def free_slug(name: str) -> str:
    base = slugify(name)[:50] or "shop"
    taken = set(Workspace.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    candidates = (base if n == 1 else f"{base}-{n}" for n in range(1, len(taken) + 3))
    return next(slug for slug in candidates if slug not in taken)


@transaction.atomic
def create_workspace(*, owner: User, name: str, plan: str = "free", with_sample_shop: bool = False) -> Workspace:
    try:
        chosen = Plan.objects.get(slug=plan)
    except Plan.DoesNotExist as error:
        known = ", ".join(Plan.objects.values_list("slug", flat=True))
        raise DomainError(f"There is no plan “{plan}”. Plans: {known}.", code="unknown_plan") from error
    workspace = Workspace.objects.create(name=name[:80], slug=free_slug(name), plan=chosen)
    with entering(workspace.pk):
        Membership.objects.create(workspace=workspace, user=owner, role=Role.OWNER)
        record(Action.WORKSPACE_CREATED, workspace=workspace, target=owner, by=actor_or(owner), plan=chosen.pk)
        if with_sample_shop:
            workspace_created.send(Workspace, workspace=workspace)
    return workspace


def create_another_workspace(*, owner: User, name: str, with_sample_shop: bool) -> Workspace:
    """Raises DomainError beyond MOST_FREE: every free workspace has free products a month."""
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=owner.pk)
        owned = Membership.objects.across_workspaces().filter(user=owner, role=Role.OWNER)
        if owned.filter(workspace__plan__monthly_price_cents=0, workspace__plan__is_public=True).count() >= MOST_FREE:
            raise Conflict(
                f"You own {MOST_FREE} free workspaces, which is as many as one person may. Nothing was made; with a "
                "paid plan for one of them you can make another.",
                code="too_many_workspaces",
            )
        return create_workspace(owner=owner, name=name, with_sample_shop=with_sample_shop)


def workspaces_of(user: User) -> list[Workspace]:
    """By name."""
    members = Membership.objects.across_workspaces().filter(user=user).select_related("workspace")
    return [member.workspace for member in members.order_by("workspace__name", "workspace__created_at")]


def last_workspace(user: User) -> Workspace | None:
    """The one they were in last, if they still may; else the one they have been in longest."""
    memberships = Membership.objects.across_workspaces().filter(user=user).select_related("workspace")
    is_last = Case(When(workspace=user.last_workspace_id, then=0), default=1)
    membership = memberships.order_by(is_last, "created_at").first()
    return membership.workspace if membership else None


def first_workspace(user: User) -> Workspace:
    """Of somebody who has just signed up: the one they were invited to, or a new one with the sample shop."""
    return last_workspace(user) or create_workspace(owner=user, name=workspace_name(user.email), with_sample_shop=True)


@transaction.atomic
def change_plan(
    *, workspace: Workspace, plan: Plan, standing: str = Standing.GOOD, billing_cap_nanos: int | None = None
) -> None:
    """The plan's limits hold at once, also for what is left of the current month."""
    before = Workspace.objects.select_for_update(no_key=True, of=("self",)).get(pk=workspace.pk)
    Workspace.objects.filter(pk=workspace.pk).update(plan=plan, standing=standing, billing_cap_nanos=billing_cap_nanos)
    if (before.plan_id, before.standing) != (plan.pk, standing):
        was: dict[str, Any] = {"plan_before": before.plan_id, "standing_before": before.standing}
        record(Action.PLAN_CHANGED, workspace=workspace, plan=plan.pk, standing=standing, **was)
    workspace.plan, workspace.standing, workspace.billing_cap_nanos = plan, standing, billing_cap_nanos
    budgets.apply_limits(workspace.pk)
    retire_on_commit()
    if (before.plan_id, before.standing) != (plan.pk, standing):
        plan_changed.send(Workspace, workspace=workspace, previous_plan=before.plan_id)
