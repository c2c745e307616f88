from __future__ import annotations

import json
from importlib import import_module
from io import StringIO
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import Membership, Plan, Role, User, Workspace
from accounts.services.workspaces import change_plan, create_workspace
from contentopt.errors import DomainError

pytestmark = pytest.mark.django_db


def create(**options: Any) -> dict[str, str]:
    out = StringIO()
    call_command(
        "create_workspace", **{"owner": "Mia@Alder.example", "name": "Alder", **options}, json=True, stdout=out
    )
    return dict(json.loads(out.getvalue()))


def test_the_command_prints_a_workspace_and_a_key_that_works() -> None:
    created = create(plan="pro")

    assert {name: created[name] for name in ("workspace", "plan", "owner")} == {
        "workspace": "alder",
        "plan": "pro",
        "owner": "mia@alder.example",
    }
    client = Client(headers={"Authorization": f"Bearer {created['api_key']}"})
    assert client.post("/api/v1/descriptions", {"prompt": "Oak board"}, "application/json").status_code == 200


def test_the_command_takes_an_owner_who_is_there_already(alice: User) -> None:
    create(owner=alice.email)
    create(owner=alice.email.upper(), name="Second")
    assert User.objects.filter(email=alice.email).count() == 1
    assert Membership.objects.across_workspaces().filter(user=alice, role=Role.OWNER).count() == 2


def test_an_owner_made_by_the_command_cannot_sign_in_without_setting_a_password() -> None:
    create()
    assert not User.objects.get(email="mia@alder.example").has_usable_password()


def test_the_command_refuses_a_plan_that_does_not_exist_and_leaves_nothing() -> None:
    with pytest.raises(CommandError, match="free, pro, enterprise, internal"):
        create(plan="gold")
    assert not Workspace.objects.filter(name="Alder").exists()
    assert not User.objects.filter(email="mia@alder.example").exists()


@pytest.mark.parametrize("owner", ["", "no address", "@alder.example"])
def test_the_command_refuses_an_owner_without_an_address(owner: str) -> None:
    with pytest.raises(CommandError):
        create(owner=owner)
    assert not Workspace.objects.filter(name="Alder").exists()


def test_plans_are_seeded_with_their_limits() -> None:
    limits = {plan.slug: (plan.burst_per_minute, plan.requests_per_day) for plan in Plan.objects.all()}
    assert limits == {"free": (5, 20), "pro": (30, 500), "enterprise": (100, 10_000), "internal": (None, None)}
    assert list(Plan.objects.filter(is_public=True).values_list("slug", flat=True)) == ["free", "pro", "enterprise"]


def test_seeding_again_leaves_alone_what_staff_have_edited() -> None:
    Plan.objects.filter(slug="free").update(requests_per_day=7, name="Starter")
    Plan.objects.filter(slug="pro").delete()

    import_module("accounts.migrations.0002_seed_plans").seed(apps, None)

    free = Plan.objects.get(slug="free")
    assert (free.requests_per_day, free.name) == (7, "Starter")
    assert Plan.objects.get(slug="pro").requests_per_day == 500


def test_a_plan_change_counts_at_once(shop: Workspace) -> None:
    change_plan(workspace=shop, plan=Plan.objects.get(slug="pro"))
    assert Workspace.objects.get(pk=shop.pk).plan_id == "pro"


def test_an_unknown_plan_is_refused(alice: User) -> None:
    with pytest.raises(DomainError) as refused:
        create_workspace(owner=alice, name="Alder", plan="gold")
    assert refused.value.code == "unknown_plan"


@pytest.mark.parametrize(("name", "slug"), [("Ärger & Söhne", "arger-sohne"), ("店", "shop"), ("x" * 200, "x" * 50)])
def test_any_name_gets_an_address(alice: User, name: str, slug: str) -> None:
    workspace = create_workspace(owner=alice, name=name)
    assert workspace.slug == slug
    assert workspace.name == name[:80]
