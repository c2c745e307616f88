"""Staff change the rules: what that would have done with last week's texts is shown first."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Plan, User, Workspace
from generation.llm.prices import PRICES, cost_nanos
from generation.llm.types import Usage
from generation.models import LlmCall, RoutingRule, Text
from generation.services.rerouting import compare
from tests.conftest import ApiClient, SignIn, say_why
from tests.servers import KEY
from tests.servers import Provider as Server

pytestmark = pytest.mark.django_db

SONNET = next(spec for spec in PRICES if spec.model_id == "claude-sonnet-5-5")
LIST = reverse("admin:generation_routingrule_changelist")
ADD = reverse("admin:generation_routingrule_add")
VOICED = {"name": "Own voice", "position": "1", "is_enabled": "on", "has_wishes": "true", "tier": "standard"}


@pytest.fixture(autouse=True)
def vendor(provider: Server, settings: Any) -> Server:
    settings.ANTHROPIC_API_KEY, settings.ANTHROPIC_BASE_URL = KEY, provider.url
    return provider


@pytest.fixture
def traffic(shop: Workspace, api: ApiClient) -> list[Text]:
    """Two plain texts and one in a voice of the shop's own, newest last."""
    client = api(shop)
    for title, voice in (("Oak Board", ""), ("Oak Bowl", ""), ("Oak Tray", "Plain words.")):
        body = {"product": {"title": title}, "voice": voice}
        assert client.post("/api/v1/descriptions", body, content_type="application/json").status_code == 200
    return list(Text.objects.in_workspace(shop).order_by("created_at"))


def voice_rule() -> RoutingRule:
    return RoutingRule(position=1, name="Own voice", has_wishes=True, tier="standard")


def at_sonnets_price(text: Text) -> int:
    call = LlmCall.objects.in_workspace(text.workspace_id).get(text_id=text.pk)
    usage = Usage(call.input_tokens, call.cached_tokens, call.cache_write_tokens, output=call.output_tokens)
    return cost_nanos(usage, SONNET.price)


def test_texts_that_another_rule_sends_elsewhere_are_priced_there(traffic: list[Text]) -> None:
    found = compare([*RoutingRule.objects.all(), voice_rule()])

    (change,) = found.changes
    voiced = traffic[-1]
    assert (change.text, change.before, change.after) == (voiced, "claude-haiku-5-5", "claude-sonnet-5-5")
    assert (change.before_nanos, change.after_nanos) == (voiced.cost_nanos, at_sonnets_price(voiced))
    assert "“Own voice”" in change.reason
    assert {share.model_id: (share.before, share.after) for share in found.models} == {
        "claude-haiku-5-5": (3, 2),
        "claude-sonnet-5-5": (0, 1),
    }
    assert found.before_nanos == sum(text.cost_nanos for text in traffic)
    assert found.after_nanos - found.before_nanos == change.after_nanos - change.before_nanos


def test_rules_that_say_the_same_change_nothing(traffic: list[Text]) -> None:
    found = compare(RoutingRule.objects.all())

    assert (found.texts, found.changes) == (3, [])
    assert found.before_nanos == found.after_nanos > 0


@pytest.mark.parametrize("highest", ["economy", "standard"])
def test_each_workspaces_plan_is_kept_to(traffic: list[Text], shop: Workspace, highest: str) -> None:
    Plan.objects.filter(pk=shop.plan_id).update(highest_tier=highest)

    assert len(compare([voice_rule()]).changes) == (1 if highest == "standard" else 0)


def test_only_last_weeks_texts_count(traffic: list[Text], shop: Workspace) -> None:
    Text.objects.in_workspace(shop).update(created_at=timezone.now() - timedelta(days=8))

    assert compare([voice_rule()]).texts == 0


def test_staff_see_what_a_rule_would_change_and_save_it_from_there(staff: Client, traffic: list[Text]) -> None:
    shown = staff.post(ADD, {**VOICED, "_what_if": ""}).content.decode()

    assert "1 of 3 texts of the last 7 days" in shown
    assert not RoutingRule.objects.filter(name="Own voice").exists()

    filled_in = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', shown)
    staff.post(ADD, {**{name: value for name, value in filled_in if name != "csrfmiddlewaretoken"}, "_save": ""})
    assert RoutingRule.objects.get(name="Own voice").has_wishes


def test_a_shops_words_are_shown_once_staff_have_said_why(staff: Client, shop: Workspace, traffic: list[Text]) -> None:
    def shown() -> bool:
        return "Tray" in staff.post(ADD, {**VOICED, "_what_if": ""}).content.decode()

    assert not shown()
    say_why(staff, shop)
    assert shown()


def test_a_rule_that_is_not_right_is_told_so(staff: Client, traffic: list[Text]) -> None:
    page = staff.post(ADD, {**VOICED, "tier": "", "_what_if": ""}).content.decode()

    assert "This field is required" in page
    assert not RoutingRule.objects.filter(name="Own voice").exists()


def test_staff_see_what_another_order_would_change(staff: Client, traffic: list[Text]) -> None:
    voice_rule().save()
    rules = list(RoutingRule.objects.all())
    rows: dict[str, Any] = {"form-TOTAL_FORMS": len(rules), "form-INITIAL_FORMS": len(rules), "_what_if": ""}
    for n, rule in enumerate(rules):
        rows |= {f"form-{n}-id": rule.pk, f"form-{n}-position": 0 if rule.name == "Everything else" else 5}
        rows |= {f"form-{n}-is_enabled": "on"}

    shown = staff.post(LIST, rows).content.decode()

    assert "None of the 3 texts" in shown  # it was written before the rule, and economy is where it would go
    assert set(RoutingRule.objects.values_list("position", flat=True)) == {1, 10, 20, 90}
    staff.post(LIST, {name: value for name, value in rows.items() if name != "_what_if"} | {"_save": ""})
    assert set(RoutingRule.objects.values_list("position", flat=True)) == {0, 5}


def test_whoever_may_not_change_rules_is_not_shown_traffic_by_trying(alice: User, sign_in: SignIn) -> None:
    alice.is_staff = True
    alice.save()

    assert sign_in(alice).post(ADD, {**VOICED, "_what_if": ""}).status_code == 403
