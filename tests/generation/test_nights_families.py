"""Nights and families: one text for a whole family, whatever number of its variants waits."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.budgets import Payer
from accounts.models import Workspace
from contentopt.jobs import JobState
from generation.engine.writing import write
from generation.facts import Brief, extract_facts
from generation.models import CachedTemplate, CachedText, LlmCall, Night
from generation.nights import items
from generation.services import nights
from tests.factories import make_catalogue, make_file

pytestmark = pytest.mark.django_db

DOLLAR = 1_000_000_000
COLORS = ("red", "blue", "green", "black")


@pytest.fixture
def thrifty(shop: Workspace) -> Workspace:
    """A shop that lets its nights spend a dollar."""
    nights.change_night_cap(workspace=shop, cap_nanos=DOLLAR)
    return shop


def mug(color: str) -> Brief:
    return Brief(extract_facts({"title": "Stoneware Mug", "attributes": {"Material": "stoneware", "Color": color}}))


def ask(workspace: Workspace, color: str) -> str:
    """The source of the answer."""
    return write(mug(color), payer=Payer(workspace.pk, "api")).source


def work_off(workspace: Workspace) -> Night:
    night = nights.start_night(workspace)
    items.plan_night(night.pk)
    for item_id in night.items.filter(state=JobState.QUEUED).values_list("pk", flat=True):
        items.write_ahead(item_id, publish_next=False)
    night.refresh_from_db()
    return night


def planned(workspace: Workspace) -> list[str]:
    return [item.reason.value for item in nights.tonight(workspace).items]


def test_one_text_is_written_ahead_for_a_whole_imported_family(thrifty: Workspace) -> None:
    rows = [f"M-{n},Stoneware Mug,stoneware,{color}," for n, color in enumerate(COLORS)]
    make_catalogue(thrifty, make_file(rows))
    assert planned(thrifty) == ["unwritten"]

    work_off(thrifty)

    assert [ask(thrifty, color) for color in COLORS] == ["precomputed", "template", "template", "template"]
    assert LlmCall.objects.in_workspace(thrifty).count() == 1
    assert planned(thrifty) == []


def test_a_family_whose_variants_are_asked_for_and_that_has_no_template_gets_one(thrifty: Workspace) -> None:
    ask(thrifty, "red")
    ask(thrifty, "blue")
    CachedTemplate.objects.in_workspace(thrifty).delete()
    assert planned(thrifty) == ["family"]

    work_off(thrifty)

    assert ask(thrifty, "green") == "template"
    assert planned(thrifty) == []


def test_renewing_one_variant_renews_the_text_of_its_family(thrifty: Workspace) -> None:
    for color in COLORS:
        ask(thrifty, color)
    soon = timezone.now() + timedelta(days=1)
    CachedText.objects.in_workspace(thrifty).update(hits=3, expires_at=soon)
    CachedTemplate.objects.in_workspace(thrifty).update(expires_at=soon)
    assert planned(thrifty) == ["expiring"]

    work_off(thrifty)

    assert CachedTemplate.objects.in_workspace(thrifty).get().expires_at > soon
    assert LlmCall.objects.in_workspace(thrifty).count() == 2


def test_a_family_that_is_written_one_by_one_is_planned_one_by_one(thrifty: Workspace) -> None:
    rows = [f"M-{n},Stoneware Mug,stoneware,{color}," for n, color in enumerate(COLORS)]
    make_catalogue(thrifty, make_file(rows))
    first: Any = nights.tonight(thrifty).items[0].ask
    CachedTemplate.objects.create(
        workspace=thrifty,
        key=first.template_key,
        fields={},
        refusal="A word leans on a slot.",
        expires_at=timezone.now() + timedelta(days=1),
    )

    assert planned(thrifty) == ["unwritten"] * 4
