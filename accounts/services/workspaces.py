from __future__ import annotations

from django.db import transaction
from django.utils.text import slugify

from accounts import budgets
from accounts.models import Membership, Plan, Role, Standing, User, Workspace
from accounts.retiring import retire_on_commit
from accounts.signals import workspace_created
from contentopt.errors import DomainError
from contentopt.tenancy import entering

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
        if with_sample_shop:
            workspace_created.send(Workspace, workspace=workspace)
    return workspace


def first_workspace(user: User) -> Workspace:
    """The workspace a person lands in; made now if signing up could not make it."""
    membership = (
        Membership.objects.across_workspaces()
        .filter(user=user)
        .select_related("workspace")
        .order_by("created_at")
        .first()
    )
    if membership:
        return membership.workspace
    return create_workspace(owner=user, name=workspace_name(user.email), with_sample_shop=True)


@transaction.atomic
def change_plan(
    *, workspace: Workspace, plan: Plan, standing: str = Standing.GOOD, billing_cap_nanos: int | None = None
) -> None:
    """The plan's limits hold at once, also for what is left of the current month."""
    Workspace.objects.filter(pk=workspace.pk).update(plan=plan, standing=standing, billing_cap_nanos=billing_cap_nanos)
    workspace.plan, workspace.standing, workspace.billing_cap_nanos = plan, standing, billing_cap_nanos
    budgets.apply_limits(workspace.pk)
    retire_on_commit()
