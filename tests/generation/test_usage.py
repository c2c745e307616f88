"""Figures of usage: whatever part of the ledger is rolled up, they are the ledger's."""

from __future__ import annotations

import random
import uuid
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.dollars import decimal_usd
from accounts.models import Budget, RollupMark, UsageEntry, UsageRollup, User, Workspace
from accounts.services.caps import workspace_budget
from accounts.services.keys import issue_key
from generation.services.usage import (
    LAYERS,
    SUMMED,
    By,
    Figures,
    Group,
    Outlook,
    Span,
    forecast,
    read_usage,
    total,
    usage_since,
)
from tests.conftest import ApiClient
from tests.factories import make_catalogue, make_line, make_run

pytestmark = pytest.mark.django_db

DOLLAR = 1_000_000_000
ROLLED_BY = ("user_id", "api_key_id", "run_id", "endpoint", "provider", "model_id", "tier", "source")


@pytest.fixture
def lines(shop: Workspace, other_shop: Workspace) -> list[UsageEntry]:
    """Five days of all kinds of lines, some recorded long after they occurred; and somebody else's."""
    chance = random.Random(7)
    now = timezone.now()
    members, keys, runs = ([None, uuid.uuid4(), uuid.uuid4()] for _ in range(3))
    made = []
    for _ in range(80):
        occurred_at = now - timedelta(minutes=chance.randrange(5 * 24 * 60))
        late = timedelta(hours=chance.choice([0, 0, 0, 7, 30]))
        made.append(
            make_line(
                shop,
                occurred_at,
                recorded_at=min(occurred_at + late, now),
                source=chance.choice(list(LAYERS)),
                user_id=chance.choice(members),
                api_key_id=chance.choice(keys),
                run_id=chance.choice(runs),
                model_id=chance.choice(["claude-haiku-5-5", "gpt-6-luna"]),
            )
        )
    make_line(other_shop, now, cost_nanos=DOLLAR)
    return made


def roll_up(lines: list[UsageEntry], mark: datetime) -> None:
    """Sum up, by hour and by day, what was recorded before the mark, and only that."""
    sums: dict[tuple[Any, ...], dict[str, int]] = defaultdict(lambda: dict.fromkeys(SUMMED, 0))
    for line in lines:
        if line.recorded_at >= mark:
            continue
        hour = line.occurred_at.replace(minute=0, second=0, microsecond=0)
        for grain, start in (("hour", hour), ("day", hour.replace(hour=0))):
            row = sums[(line.workspace_id, grain, start, *(getattr(line, column) for column in ROLLED_BY))]
            for name in SUMMED:
                row[name] += getattr(line, name)
    names = ("workspace_id", "grain", "start", *ROLLED_BY)
    UsageRollup.objects.bulk_create(
        UsageRollup(**dict(zip(names, key, strict=True)), **row) for key, row in sums.items()
    )
    RollupMark.objects.update_or_create(pk=1, defaults={"recorded_until": mark})


def expected(lines: list[UsageEntry], key_of: Callable[[UsageEntry], Any]) -> dict[str | None, Figures]:
    found: dict[str | None, Figures] = defaultdict(Figures)
    for line in lines:
        key = key_of(line)
        free = line.answers if line.source != "model" else 0
        values = {name: getattr(line, name) for name in SUMMED}
        found[None if key is None else str(key)].add(Figures(free=free, **values))
    return dict(found)


KEYS: dict[By, Callable[[UsageEntry], Any]] = {
    By.DAY: lambda line: line.occurred_at.date(),
    By.MEMBER: lambda line: line.user_id,
    By.KEY: lambda line: line.api_key_id,
    By.RUN: lambda line: line.run_id,
    By.MODEL: lambda line: line.model_id,
    By.LAYER: lambda line: line.source,
    By.ENDPOINT: lambda line: line.endpoint,
}


@pytest.mark.parametrize("hours_ago", [None, 0, 1, 5, 26, 24 * 3, 24 * 6])
def test_figures_are_the_ledgers_whatever_part_is_rolled_up(
    lines: list[UsageEntry], shop: Workspace, hours_ago: int | None
) -> None:
    if hours_ago is not None:
        roll_up(lines, timezone.now() - timedelta(hours=hours_ago))

    used = read_usage(shop, Span.of_days(7))

    for by, key_of in KEYS.items():
        assert {group.id: group.figures for group in used.by(by)} == expected(lines, key_of), by


@pytest.mark.parametrize("days", [1, 2, 4])
def test_a_span_begins_and_ends_at_midnight(lines: list[UsageEntry], shop: Workspace, days: int) -> None:
    roll_up(lines, timezone.now() - timedelta(hours=3))
    today = timezone.now().date()
    span = Span(today - timedelta(days=days), today - timedelta(days=1))

    inside = [line for line in lines if span.first <= line.occurred_at.date() <= span.last]

    assert total(read_usage(shop, span).by(By.LAYER)) == total(
        Group(None, "", figures) for figures in expected(inside, lambda line: line.source).values()
    )


def test_figures_come_from_the_rollups_where_an_hour_is_closed(lines: list[UsageEntry], shop: Workspace) -> None:
    roll_up(lines, timezone.now())
    UsageRollup.objects.in_workspace(shop).update(answers=F("answers") + 1_000)

    assert usage_since(shop, days=7).texts > 10_000


def test_a_late_correction_counts_at_once_in_its_own_hour(shop: Workspace) -> None:
    yesterday = timezone.now() - timedelta(days=1)
    ceiling = make_line(shop, yesterday, basis="ceiling", answers=0, cost_nanos=500)
    roll_up([ceiling], timezone.now() - timedelta(minutes=5))

    make_line(shop, yesterday, basis="correction", calls=0, cost_nanos=-300, recorded_at=timezone.now())

    day = read_usage(shop, Span.of_days(2)).by(By.DAY)[0].figures
    assert (day.cost_nanos, day.calls, day.answers) == (200, 1, 1)


def test_names_are_of_the_workspace_and_say_who_is_gone(
    shop: Workspace, alice: User, charlie: User, other_shop: Workspace
) -> None:
    key, _ = issue_key(workspace=shop, name="Import script", scopes=["write"])
    foreign, _ = issue_key(workspace=other_shop, name="Elsewhere's", scopes=["write"])
    run = make_run(make_catalogue(shop, filename="spring.csv"))
    make_line(shop, user_id=alice.pk, api_key_id=key.pk, run_id=run.pk)
    make_line(shop, user_id=charlie.pk, api_key_id=foreign.pk, run_id=uuid.uuid4())
    make_line(shop)

    used = read_usage(shop, Span.of_days(1))

    assert {group.name for group in used.by(By.MEMBER)} == {str(alice), "Removed member", "Nobody signed in"}
    assert {group.name for group in used.by(By.KEY)} == {"Import script", "Removed key", "On the pages"}
    assert {group.name.partition(",")[0] for group in used.by(By.RUN)} == {"spring.csv", "Removed run", "Single texts"}


def test_every_day_of_the_span_can_be_drawn(shop: Workspace) -> None:
    make_line(shop)

    used = usage_since(shop, days=30)

    assert (len(used.by_day), used.texts, used.free, used.calls, used.cost_nanos) == (30, 1, 0, 1, 215_000)
    assert used.by_day[-1].id == str(timezone.now().date())
    assert used.by_day[-1].figures.answers == 1


def test_queries_do_not_grow_with_lines(
    shop: Workspace, django_assert_max_num_queries: DjangoAssertNumQueries, lines: list[UsageEntry]
) -> None:
    roll_up(lines, timezone.now() - timedelta(hours=30))

    with django_assert_max_num_queries(6):
        groups = read_usage(shop, Span.of_days(7)).by(By.MEMBER)
    assert sum(group.figures.answers for group in groups) == sum(line.answers for line in lines)


def spend(shop: Workspace, nanos: int, *, limit: int | None, held: int = 0) -> None:
    state = workspace_budget(shop)
    Budget.objects.create(
        workspace=shop,
        scope="workspace",
        scope_id=shop.pk,
        period_start=state.starts_at,
        period_end=state.resets_at,
        limit_nanos=limit,
        spent_nanos=nanos,
        reserved_nanos=held,
    )


def days_ago(days: float) -> datetime:
    return timezone.now() - timedelta(days=days)


def test_forecast_says_when_there_is_too_little_to_go_on(shop: Workspace) -> None:
    assert forecast(shop, workspace_budget(shop)).outlook == Outlook.QUIET

    make_line(shop)

    assert forecast(shop, workspace_budget(shop)).outlook == Outlook.TOO_EARLY


def test_forecast_follows_the_pace_to_the_end_of_the_month(shop: Workspace) -> None:
    """A dollar a day for ten days goes on at a dollar a day."""
    midnight = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    for day in range(1, 11):
        make_line(shop, midnight - timedelta(days=day), cost_nanos=DOLLAR)
    spend(shop, 5 * DOLLAR, limit=None)
    state = workspace_budget(shop)
    assert state.resets_at is not None

    guess = forecast(shop, state)

    elapsed, rest = timezone.now() - midnight + timedelta(days=10), state.resets_at - timezone.now()
    assert guess.outlook == Outlook.MONTH_END
    assert guess.month_end_nanos == pytest.approx(5 * DOLLAR + 10 * DOLLAR * (rest / elapsed), rel=1e-3)


def test_forecast_names_the_day_the_cap_is_reached(shop: Workspace) -> None:
    for day in range(1, 11):
        make_line(shop, days_ago(day), cost_nanos=DOLLAR)
    spend(shop, 10 * DOLLAR, limit=10 * DOLLAR + 1_000)

    guess = forecast(shop, workspace_budget(shop))

    assert guess == type(guess)(Outlook.REACHED, reached_on=timezone.now().date())


def test_forecast_of_a_used_up_cap_is_that_it_is_used_up(shop: Workspace) -> None:
    spend(shop, 8 * DOLLAR, limit=10 * DOLLAR, held=2 * DOLLAR)

    assert forecast(shop, workspace_budget(shop)).outlook == Outlook.USED_UP


def test_api_gives_the_same_figures_exactly(shop: Workspace, api: ApiClient, lines: list[UsageEntry]) -> None:
    roll_up(lines, timezone.now() - timedelta(hours=2))
    client = api(shop)

    reply = client.get("/api/v1/usage?days=7&group_by=model").json()

    assert reply["cost_usd"] == decimal_usd(sum(line.cost_nanos for line in lines))
    assert reply["saved_usd"] == decimal_usd(sum(line.saved_nanos for line in lines))
    assert (reply["texts"], reply["days"], len(reply["by_day"])) == (len(lines), 7, 7)
    assert sum(day["texts"] for day in reply["by_day"]) == len(lines)
    assert {layer["layer"]: layer["texts"] for layer in reply["by_layer"]} == {
        source: figures.answers for source, figures in expected(lines, KEYS[By.LAYER]).items()
    }
    assert {group["id"]: group["texts"] for group in reply["groups"]} == {
        model: figures.answers for model, figures in expected(lines, KEYS[By.MODEL]).items()
    }


@pytest.mark.parametrize("by", ["day", "member", "key", "run", "model", "layer"])
def test_api_groups_by_everything_it_names(shop: Workspace, api: ApiClient, by: str) -> None:
    make_line(shop)

    groups = api(shop).get(f"/api/v1/usage?group_by={by}").json()["groups"]

    assert [group["texts"] for group in groups] == [1]


def test_api_refuses_a_grouping_it_does_not_have(shop: Workspace, api: ApiClient) -> None:
    reply = api(shop).get("/api/v1/usage?group_by=planet")

    assert reply.status_code == 422
    assert "group_by" in reply.json()["error"]["details"]


def test_api_says_what_is_left_this_month(shop: Workspace, api: ApiClient) -> None:
    spend(shop, 3 * DOLLAR, limit=25 * DOLLAR, held=DOLLAR)

    month = api(shop).get("/api/v1/usage").json()["month"]

    resets_at = workspace_budget(shop).resets_at
    assert resets_at is not None
    assert month == {
        "spent_usd": "3.00",
        "held_usd": "1.00",
        "limit_usd": "25.00",
        "left_usd": "21.00",
        "resets_at": resets_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "products_used": 0,
        "products_limit": None,
    }
