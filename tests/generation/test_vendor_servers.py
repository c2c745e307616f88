"""The whole request against servers that others wrote: not only our own vouches for the adapters.

`llmock` judges how a client copes with faults, `aimock` speaks both protocols from fixtures. The latter runs on Node:
`npm ci` in tests/vendor_servers.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from django.test import Client
from llmock.pytest_plugin import LLMock

from accounts.models import UsageEntry, Workspace
from contentopt.engines.engine import free_port
from generation import health
from generation.engine import writing
from generation.models import LlmCall, LlmModel
from tests.conftest import ApiClient
from tests.programs import run_program
from tests.servers import KEY

pytestmark = pytest.mark.django_db

AIMOCK = Path(__file__).resolve().parent.parent / "vendor_servers" / "node_modules/@copilotkit/aimock/dist/cli.js"
APRON = {"title": "Linen Apron", "features": ["Folds flat"]}  # nothing that would be a slot of a family
TEXT = "The Linen Apron folds flat."
USAGE = {"input_tokens": 321, "output_tokens": 45, "prompt_tokens": 321, "completion_tokens": 45}
COST = 321 * 100 + 45 * 500
VENDORS = ("anthropic", "openai")


@pytest.fixture
def client(shop: Workspace, api: ApiClient, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Client:
    settings.MODEL_RETRIES = 2
    LlmModel.objects.exclude(tier="economy").update(is_enabled=False)
    monkeypatch.setattr(writing, "retry_budget", health.RetryBudget())
    return api(shop)


def use(settings: Any, vendor: str, url: str) -> None:
    setattr(settings, f"{vendor.upper()}_API_KEY", KEY)
    setattr(settings, f"{vendor.upper()}_BASE_URL", url)


def describe(client: Client) -> Any:
    return client.post("/api/v1/descriptions", {"product": APRON}, content_type="application/json")


def kinds(shop: Workspace) -> list[str]:
    return list(LlmCall.objects.in_workspace(shop).order_by("created_at").values_list("error_kind", flat=True))


# --- llmock ---


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize(("status", "kind"), [(500, "server"), (529, "overloaded")])
def test_short_outage_is_survived_to_the_judges_satisfaction(
    shop: Workspace, client: Client, llmock: LLMock, settings: Any, vendor: str, status: int, kind: str
) -> None:
    use(settings, vendor, llmock.base_url(vendor))
    llmock.fail(status, times=2).reply(TEXT)

    reply = describe(client)

    assert (reply.status_code, reply.json()["text"]) == (200, TEXT)
    assert kinds(shop) == [kind, kind, ""]
    llmock.assert_resilient()


@pytest.mark.parametrize("vendor", VENDORS)
def test_wait_that_is_asked_for_is_kept(
    shop: Workspace, client: Client, llmock: LLMock, settings: Any, vendor: str
) -> None:
    use(settings, vendor, llmock.base_url(vendor))
    llmock.rate_limit(times=1, retry_after=0.5).reply(TEXT)

    assert describe(client).status_code == 200

    assert kinds(shop) == ["rate_limited", ""]
    llmock.assert_resilient()


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_what_no_retry_mends_is_asked_once(
    shop: Workspace, client: Client, llmock: LLMock, settings: Any, vendor: str, status: int
) -> None:
    use(settings, vendor, llmock.base_url(vendor))
    llmock.fail(status, times=None)

    assert describe(client).status_code == 503

    assert len(llmock.requests) == 1
    llmock.assert_resilient()


# --- aimock ---


@pytest.fixture(scope="module")
def aimock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if not shutil.which("node") or not AIMOCK.exists():
        assert not os.environ.get("REQUIRE_NODE"), "REQUIRE_NODE is set, and aimock is not installed"
        pytest.skip("aimock is not installed: it needs Node, and `npm ci` in tests/vendor_servers")
    fixtures, port = tmp_path_factory.mktemp("aimock"), free_port()
    command = ["node", str(AIMOCK), "--port", str(port), "--fixtures", str(fixtures), "--log-level", "warn"]
    with run_program(command, port, "/__aimock/journal", lambda reply: reply.is_success) as url:
        yield url


@pytest.fixture
def fixtures(aimock: str) -> None:
    httpx2.post(f"{aimock}/__aimock/reset").raise_for_status()
    answer = {"match": {"userMessage": "Linen Apron"}, "response": {"content": TEXT, "usage": USAGE}}
    httpx2.post(f"{aimock}/__aimock/fixtures", json={"fixtures": [answer]}).raise_for_status()


@pytest.mark.usefixtures("fixtures")
@pytest.mark.parametrize("vendor", VENDORS)
def test_text_and_its_cost_are_taken_from_the_reply(
    shop: Workspace, client: Client, aimock: str, settings: Any, vendor: str
) -> None:
    use(settings, vendor, f"{aimock}/v1" if vendor == "openai" else aimock)

    reply = describe(client)

    assert (reply.status_code, reply.json()["text"]) == (200, TEXT)
    assert UsageEntry.objects.in_workspace(shop).get().cost_nanos == COST
    (asked,) = httpx2.get(f"{aimock}/__aimock/journal").json()
    assert "Linen Apron" in str(asked["body"])


@pytest.mark.usefixtures("fixtures")
@pytest.mark.parametrize("vendor", VENDORS)
def test_error_of_the_vendors_shape_is_understood(
    shop: Workspace, client: Client, aimock: str, settings: Any, vendor: str
) -> None:
    use(settings, vendor, f"{aimock}/v1" if vendor == "openai" else aimock)
    error = {
        "status": 529 if vendor == "anthropic" else 503,
        "body": {"message": "Overloaded", "type": "overloaded_error"},
    }
    httpx2.post(f"{aimock}/__aimock/error", json=error).raise_for_status()

    assert describe(client).status_code == 200

    assert kinds(shop) == ["overloaded", ""]
    assert UsageEntry.objects.in_workspace(shop).filter(cost_nanos__gt=0).get().cost_nanos == COST
