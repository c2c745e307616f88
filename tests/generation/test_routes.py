"""Which models serve a request, and what a change of them leaves alone."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.dollars import decimal_usd
from accounts.models import Plan, UsageEntry, User, Workspace
from generation.engine.items import write_item
from generation.forms import RunForm
from generation.models import (
    EconomyOutcome,
    Learning,
    LlmCall,
    LlmModel,
    ModelPrice,
    Provider,
    RoutingRule,
    Run,
    RunItem,
    Text,
)
from tests.conftest import ApiClient, SignIn
from tests.factories import make_catalogue, make_run
from tests.servers import KEY
from tests.servers import Provider as Server

pytestmark = pytest.mark.django_db

URL = "/api/v1/descriptions"
APRON = {"title": "Linen Apron", "attributes": {"Material": "linen", "Weight": "180 g"}}
# Asks for the same, but in a way that only DRF understands.
ORDINARY = {"Accept": "application/json;q=0.9"}
Commit = Callable[..., Any]


@pytest.fixture
def vendor(provider: Server, settings: Any) -> Server:
    """Both vendors have a key."""
    settings.ANTHROPIC_API_KEY, settings.ANTHROPIC_BASE_URL = KEY, provider.anthropic.base_url
    settings.OPENAI_API_KEY, settings.OPENAI_BASE_URL = KEY, provider.openai.base_url
    return provider


@pytest.fixture
def client(shop: Workspace, api: ApiClient) -> Client:
    return api(shop)


def describe(client: Client, body: Any = None, **headers: str) -> Any:
    return client.post(URL, body or {"product": APRON}, content_type="application/json", headers=headers)


# --- Texts outlive the route that wrote them --------------------------------------------------------------------------


def another_price() -> None:
    model = LlmModel.objects.get(model_id="claude-haiku-5-5")
    ModelPrice.objects.create(model=model, version="2027-01-01", input_nanos=200_000_000, output_nanos=900_000_000)


def another_model() -> None:
    LlmModel.objects.filter(model_id="gpt-5-nano").update(is_default=True)


def another_provider() -> None:
    Provider.objects.filter(kind="anthropic").update(is_enabled=False)


@pytest.mark.parametrize("headers", [{}, ORDINARY], ids=["short way", "ordinary way"])
@pytest.mark.parametrize("change", [another_price, another_model, another_provider])
def test_a_change_of_the_route_empties_no_cache(
    client: Client,
    vendor: Server,
    change: Callable[[], None],
    headers: Any,
    django_capture_on_commit_callbacks: Commit,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        first = describe(client, **headers).json()
        change()

    again = describe(client, **headers).json()

    assert (first["source"], again["source"], again["text"]) == ("model", "exact", first["text"])
    assert vendor.meter()["requests"] == 1


def test_a_text_of_the_offline_writer_is_not_served_once_a_model_is_connected(
    client: Client, provider: Server, settings: Any
) -> None:
    assert describe(client, **ORDINARY).json()["is_offline"]

    settings.ANTHROPIC_API_KEY, settings.ANTHROPIC_BASE_URL = KEY, provider.url

    assert describe(client, **ORDINARY).json()["model"] == "claude-haiku-5-5"


# --- The tier that is asked for ---------------------------------------------------------------------------------------


def allow(shop: Workspace, highest: str) -> None:
    Plan.objects.filter(pk=shop.plan_id).update(highest_tier=highest)


@pytest.mark.parametrize(
    ("tier", "model"),
    [
        ("auto", "claude-haiku-5-5"),
        ("economy", "claude-haiku-5-5"),
        ("standard", "claude-sonnet-5-5"),
        ("premium", "claude-opus-5-5"),
    ],
)
def test_a_tier_that_is_asked_for_is_served(client: Client, vendor: Server, tier: str, model: str) -> None:
    assert describe(client, {"product": APRON, "tier": tier}).json()["model"] == model


def test_texts_are_shared_within_a_tier_and_not_between_tiers(
    client: Client, vendor: Server, django_assert_num_queries: Any, django_capture_on_commit_callbacks: Commit
) -> None:
    plain, standard = {"product": APRON}, {"product": APRON, "tier": "standard"}
    with django_capture_on_commit_callbacks(execute=True):
        first = [describe(client, body).json() for body in (plain, standard)]
    describe(client, standard)  # the process knows the key by now

    with django_assert_num_queries(0):
        again = [describe(client, body).json() for body in (plain, standard, {**plain, "tier": "economy"})]

    assert [reply["source"] for reply in first] == ["model", "model"]
    assert [(reply["source"], reply["model"]) for reply in again] == [
        ("exact", "claude-haiku-5-5"),
        ("exact", "claude-sonnet-5-5"),
        ("exact", "claude-haiku-5-5"),
    ]


@pytest.mark.parametrize("headers", [{}, ORDINARY], ids=["short way", "ordinary way"])
def test_a_tier_above_the_plan_is_refused_even_when_the_text_is_known(
    client: Client, shop: Workspace, vendor: Server, headers: Any, django_capture_on_commit_callbacks: Commit
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        describe(client, {"product": APRON, "tier": "premium"}, **headers)
    describe(client, {"product": APRON, "tier": "premium"}, **headers)
    with django_capture_on_commit_callbacks(execute=True):
        plan = shop.plan
        plan.highest_tier = "standard"
        plan.save()

    response = describe(client, {"product": APRON, "tier": "premium"}, **headers)

    assert response.status_code == 403
    error = response.json()["error"]
    assert (error["code"], error["details"]) == ("tier_not_in_plan", {"highest": "standard"})


@pytest.mark.parametrize("url", ["/api/v1/runs", "/api/v1/estimates"])
def test_runs_and_estimates_refuse_it_too(client: Client, shop: Workspace, vendor: Server, url: str) -> None:
    allow(shop, "economy")
    body = {"catalogue": str(make_catalogue(shop).pk), "tier": "standard"}

    response = client.post(url, body, content_type="application/json")

    assert (response.status_code, response.json()["error"]["code"]) == (403, "tier_not_in_plan")


def test_a_run_started_under_a_better_plan_is_written_at_the_present_ones_best(shop: Workspace, vendor: Server) -> None:
    run = make_run(make_catalogue(shop), tier="premium")
    allow(shop, "standard")

    write_item(run.items.all()[0].pk)

    assert Text.objects.in_workspace(shop).get().model_id == "claude-sonnet-5-5"


def test_a_tier_without_a_model_says_so(client: Client, vendor: Server) -> None:
    LlmModel.objects.filter(tier="premium").update(is_enabled=False)

    response = describe(client, {"product": APRON, "tier": "premium"})

    assert response.status_code == 503
    assert "premium tier was asked for" in response.json()["error"]["message"]
    assert vendor.meter()["requests"] == 0


@pytest.mark.parametrize(("highest", "offered"), [("economy", []), ("standard", ["auto", "standard"])])
def test_pages_offer_what_the_plan_has(
    shop: Workspace, alice: User, sign_in: SignIn, vendor: Server, highest: str, offered: list[str]
) -> None:
    allow(shop, highest)
    catalogue = make_catalogue(shop)
    page = sign_in(alice)
    new = reverse("run_new", args=(shop.slug,))

    shown = page.get(new).content.decode()
    refused = page.post(new, {"catalogue": catalogue.pk, "which": "all", **RunForm.first_values(), "tier": "premium"})

    assert re.findall(r'name="tier" value="(\w+)"', shown) == offered
    assert not Run.objects.in_workspace(shop).exists()
    assert refused.status_code == 200


def test_a_run_and_a_rewrite_take_the_tier_that_was_chosen(
    shop: Workspace, alice: User, sign_in: SignIn, vendor: Server
) -> None:
    catalogue = make_catalogue(shop)
    page = sign_in(alice)
    chosen = {**RunForm.first_values(), "catalogue": catalogue.pk, "which": "all", "tier": "standard"}

    page.post(reverse("run_new", args=(shop.slug,)), chosen)
    item = Run.objects.in_workspace(shop).get().items.all()[0]
    write_item(item.pk)
    page.post(reverse("product_rewrite", args=(shop.slug, item.product_id)), {"tier": "premium"})

    assert models_asked(shop) == ["claude-sonnet-5-5", "claude-opus-5-5"]


# --- Escalation -------------------------------------------------------------------------------------------------------

INVENTED = {"text": "Made of solid gold in Paris, it weighs 77 kg."}


def models_asked(shop: Workspace) -> list[str]:
    calls = LlmCall.objects.in_workspace(shop).order_by("created_at")
    return list(calls.values_list("model_id", flat=True))


def test_a_text_that_fails_the_check_twice_is_written_one_tier_up(
    client: Client, shop: Workspace, vendor: Server
) -> None:
    vendor.behave(INVENTED, INVENTED, {})

    reply = client.post(f"{URL}?explain=1", {"product": APRON}, content_type="application/json").json()

    assert models_asked(shop) == ["claude-haiku-5-5", "claude-haiku-5-5", "claude-sonnet-5-5"]
    assert reply["model"] == "claude-sonnet-5-5"
    steps = [(step["outcome"], step["reason"]) for step in reply["explanation"]["steps"] if step["layer"] == "model"]
    assert [outcome for outcome, _ in steps] == ["refused", "chosen"]
    assert steps[0][1].startswith("claude-haiku-5-5, economy: ")
    assert steps[1][1].startswith("claude-sonnet-5-5, standard. ")
    assert "failed the check" in steps[1][1]
    lines = UsageEntry.objects.in_workspace(shop)
    assert reply["cost_usd"] == decimal_usd(sum(line.cost_nanos for line in lines))


def test_what_an_escalation_wrote_serves_the_tier_that_was_asked(
    client: Client, shop: Workspace, vendor: Server
) -> None:
    vendor.behave(INVENTED, INVENTED, {})
    describe(client)

    again = describe(client).json()

    assert (again["source"], again["model"]) == ("exact", "claude-sonnet-5-5")


def test_the_dearer_model_is_told_what_was_wrong(client: Client, shop: Workspace, vendor: Server) -> None:
    vendor.behave(INVENTED)

    assert describe(client, {"product": {"title": "Oak Board"}}).status_code == 422

    assert models_asked(shop) == ["claude-haiku-5-5"] * 2 + ["claude-sonnet-5-5"] * 2
    counted = ("input_uncached", "input_cached", "cache_write_short")
    sizes = [sum(call[kind] for kind in counted) for call in vendor.meter()["served"]]
    assert sizes[0] < sizes[1] == sizes[2] == sizes[3]


def test_an_economy_plan_does_not_escalate(client: Client, shop: Workspace, vendor: Server) -> None:
    allow(shop, "economy")
    vendor.behave(INVENTED, INVENTED, {})

    assert describe(client).status_code == 422
    assert models_asked(shop) == ["claude-haiku-5-5"] * 2


def test_a_text_never_costs_more_than_its_estimate(client: Client, shop: Workspace, vendor: Server) -> None:
    body = {"product": APRON}
    estimate = client.post("/api/v1/estimates", body, content_type="application/json").json()
    vendor.behave(*[INVENTED | {"output_tokens": 520}] * 4)  # as many as max_tokens allows

    describe(client, body)

    spent = sum(line.cost_nanos for line in UsageEntry.objects.in_workspace(shop))
    assert 0 < spent <= float(estimate["ceiling_usd"]) * 1_000_000_000


def test_whoever_waits_gets_a_dearer_text_when_no_economy_model_answers_and_a_run_waits(
    client: Client, shop: Workspace, vendor: Server
) -> None:
    run = make_run(make_catalogue(shop))
    vendor.behave({"status": 529})
    item = run.items.all()[0]
    write_item(item.pk)
    assert set(models_asked(shop)) == {"claude-haiku-5-5", "gpt-6-luna"}
    assert RunItem.objects.in_workspace(shop).get(pk=item.pk).state == "queued"

    vendor.behave({"status": 529}, {"status": 529}, {})
    assert describe(client).json()["model"] == "claude-sonnet-5-5"


# --- Rules and what is learned ----------------------------------------------------------------------------------------


def test_the_first_rule_that_matches_decides_and_is_named(client: Client, vendor: Server) -> None:
    sol = LlmModel.objects.get(model_id="gpt-6.1-sol")
    RoutingRule.objects.create(position=1, name="German", languages=["de"], tier="standard", model=sol)
    RoutingRule.objects.create(position=2, name="Switched off", tier="premium", is_enabled=False)

    replies = [
        client.post(
            f"{URL}?explain=1", {"product": APRON, "language": language}, content_type="application/json"
        ).json()
        for language in ("de", "en")
    ]

    assert [reply["model"] for reply in replies] == ["gpt-6.1-sol", "claude-haiku-5-5"]
    reasons = [reply["explanation"]["steps"][-1]["reason"] for reply in replies]
    assert "“German”" in reasons[0]
    assert "“Everything else”" in reasons[1]


def outcomes() -> list[tuple[str, str, int, int]]:
    return list(EconomyOutcome.objects.values_list("category", "language", "passed", "failed"))


def test_what_the_check_says_of_economy_texts_is_counted(client: Client, vendor: Server) -> None:
    apron = {**APRON, "category": "Kitchen > Aprons"}
    describe(client, {"product": apron})
    describe(client, {"product": apron})  # known: says nothing new
    describe(client, {"product": apron, "tier": "premium"})
    vendor.behave(INVENTED, INVENTED, {})
    describe(client, {"product": {**apron, "title": "Cotton Apron"}})

    assert outcomes() == [("aprons", "en", 1, 1)]


def test_a_kind_that_mostly_fails_starts_at_standard_until_learning_is_off(
    client: Client, shop: Workspace, vendor: Server, django_capture_on_commit_callbacks: Commit
) -> None:
    EconomyOutcome.objects.create(category="aprons", task="description", language="en", passed=2, failed=90)
    # Not one of those that are tried at economy all the same.
    products = [{"title": f"Apron {n}", "category": "Aprons"} for n in ("I", "II")]

    first = describe(client, {"product": products[0]}).json()
    Learning.objects.update(is_on=False)
    second = describe(client, {"product": products[1]}).json()

    assert (first["model"], second["model"]) == ("claude-sonnet-5-5", "claude-haiku-5-5")
    assert outcomes() == [("aprons", "en", 2, 90)]


def test_what_was_long_ago_counts_ever_less(client: Client, vendor: Server) -> None:
    EconomyOutcome.objects.create(category="", task="description", language="en", passed=300, failed=100)

    describe(client)

    assert outcomes() == [("", "en", 151, 50)]
