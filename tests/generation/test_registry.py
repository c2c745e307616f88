"""Providers, models and prices as rows: what staff can add without a line of code, and what they cannot break."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from anthropic.resources.messages.messages import DEPRECATED_MODELS
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from structlog.testing import capture_logs

from accounts.models import PLATFORM_WORKSPACE_ID, Notice, Platform, UsageEntry, Workspace
from accounts.services.spending import stop_spending
from generation.engine.items import items_per_task, write_item
from generation.engine.registry import can_be_asked, endpoint_for, note_retirements
from generation.engine.routes import read_offer
from generation.llm.prices import PRICES, cost_nanos
from generation.llm.providers import retires_on
from generation.llm.types import Access, Usage
from generation.models import LlmCall, LlmModel, ModelPrice, Product, Provider, Run, Text
from generation.services.registry import add_price
from tests.conftest import ApiClient
from tests.factories import make_catalogue, make_run
from tests.servers import KEY, run_provider
from tests.servers import Provider as Server

pytestmark = pytest.mark.django_db

PROVIDERS = "admin:generation_provider"
MODELS = "admin:generation_llmmodel"
# $0.30 and $1.20 for a million tokens.
RATES = {"input_nanos": "0.30", "output_nanos": "1.20"}
LONG = {"long_context_from": "9000", "long_input_nanos": "0.60", "long_output_nanos": "2.40"}
OLLAMA: dict[str, Any] = {
    "name": "Ollama in the cellar",
    "slug": "ollama",
    "kind": "openai",
    "is_enabled": "on",
    "position": 5,
    "concurrency": 2,
    "key_name": "",
    "output_limit": "max_tokens",
    "knows_stream_options": "on",
}
QWEN: dict[str, Any] = {
    "provider": "ollama",
    "model_id": "qwen4:8b",
    "tier": "economy",
    "is_enabled": "on",
    "is_default": "on",
    "max_input_tokens": 32_768,
    "max_output_tokens": 4_096,
    "has_streaming": "on",
    "prompt_cache_from": 0,
}


@pytest.fixture(scope="module")
def process() -> Iterator[Server]:
    with run_provider() as running:
        yield running


@pytest.fixture
def server(process: Server) -> Server:
    """A server that speaks OpenAI's Chat API, of which nothing is known but what staff type in."""
    process.reset()
    return process


def price_rows(*prices: dict[str, Any]) -> dict[str, Any]:
    """The admin's form of prices that are to be added."""
    totals = {"prices-TOTAL_FORMS": len(prices), "prices-INITIAL_FORMS": 0}
    return totals | {f"prices-{n}-{name}": value for n, price in enumerate(prices) for name, value in price.items()}


def saved(response: Any) -> bool:
    return bool(response.status_code == 302)


def add_ollama(staff: Client, server: Server, **changes: Any) -> LlmModel:
    """As staff do it: two forms."""
    base_url = {"base_url": f"{server.url}/v1"}
    assert saved(staff.post(reverse(f"{PROVIDERS}_add"), OLLAMA | base_url | changes))
    assert saved(staff.post(reverse(f"{MODELS}_add"), QWEN | price_rows(RATES)))
    return LlmModel.objects.get(provider="ollama")


# --- A provider is two forms ------------------------------------------------------------------------------------------


def test_main_job_runs_on_a_server_that_is_only_a_row(staff: Client, shop: Workspace, server: Server) -> None:
    add_ollama(staff, server)

    catalogue = make_catalogue(shop)
    run = make_run(catalogue)
    for item in run.items.all():
        write_item(item.pk, publish_next=False)
    run.refresh_from_db()

    assert run.state == Run.State.FINISHED
    texts = Text.objects.in_workspace(shop)
    assert {(text.provider, text.model_id, text.source) for text in texts} == {("ollama", "qwen4:8b", "model")}
    assert Product.objects.in_workspace(shop).written().count() == 3
    served = server.meter()["served"]
    price = ModelPrice.objects.get(model__model_id="qwen4:8b").price
    counts = ("input_uncached", "input_cached", "cache_write_short", "cache_write_long", "output")
    metered = [cost_nanos(Usage(**{name: one[name] for name in counts}), price) for one in served]
    assert sum(call.cost_nanos for call in LlmCall.objects.in_workspace(shop)) == sum(metered) > 0
    assert sum(line.cost_nanos for line in UsageEntry.objects.in_workspace(shop)) == sum(metered)


def test_items_of_a_run_share_calls_only_where_a_reply_can_be_held_to_a_schema(staff: Client, server: Server) -> None:
    model = add_ollama(staff, server)
    assert items_per_task() == 1

    LlmModel.objects.filter(pk=model.pk).update(has_structured_output=True)

    assert items_per_task() > 1


def test_api_describes_on_a_server_that_is_only_a_row(
    staff: Client, shop: Workspace, api: ApiClient, server: Server
) -> None:
    add_ollama(staff, server)

    body = {"product": {"title": "Oak Board", "attributes": {"Width": "30 cm"}}}
    reply = api(shop).post("/api/v1/descriptions", body, content_type="application/json").json()

    assert (reply["model"], reply["source"]) == ("qwen4:8b", "model")
    assert "30 cm" in reply["text"]
    assert set(server.meter()["asked"]) == {"model", "max_tokens"}
    assert server.meter()["headers"]["authorization"] == "Bearer none"


def served() -> tuple[str, ...]:
    return tuple(spec.model_id for spec in read_offer().specs if spec.tier == "economy")


def test_key_is_read_from_the_variable_that_the_row_names(
    staff: Client, shop: Workspace, server: Server, settings: Any
) -> None:
    add_ollama(staff, server, key_name="OPENROUTER_API_KEY")
    assert read_offer().is_offline

    settings.MODEL_KEYS = {"OPENROUTER_API_KEY": KEY}

    assert served() == ("qwen4:8b",)
    write_item(make_run(make_catalogue(shop)).items.all()[0].pk, publish_next=False)
    assert server.meter()["headers"]["authorization"] == f"Bearer {KEY}"


def test_providers_are_asked_in_their_order(staff: Client, server: Server, settings: Any) -> None:
    settings.ANTHROPIC_API_KEY = KEY
    add_ollama(staff, server)
    assert served() == ("qwen4:8b", "claude-haiku-5-5")

    Provider.objects.filter(slug="ollama").update(position=90)

    assert served() == ("claude-haiku-5-5", "qwen4:8b")


def test_provider_that_is_switched_off_leaves_the_offline_writer(staff: Client, server: Server) -> None:
    add_ollama(staff, server)
    Provider.objects.filter(slug="ollama").update(is_enabled=False)

    assert read_offer().is_offline


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"base_url": ""}, "Without a base URL nobody knows where the server is"),
        ({"base_url": "https://user:secret@models.example/v1"}, "without a password"),
        ({"base_url": "file:///etc/passwd"}, "An http or https address"),
        ({"key_name": "SECRET_KEY"}, "with _API_KEY at the end"),
        ({"key_name": "STRIPE_API_KEY"}, "does not hold a key for models"),
        ({"key_name": "OPENAI_API_KEY"}, "goes to the vendor alone"),
        ({"kind": "anthropic"}, "name its environment variable"),
        ({"kind": "offline"}, "not one of the available choices"),
        ({"concurrency": 0}, "greater than or equal to 1"),
    ],
)
def test_provider_that_would_not_work_or_leak_is_refused(
    staff: Client, server: Server, changes: dict[str, Any], words: str
) -> None:
    response = staff.post(reverse(f"{PROVIDERS}_add"), OLLAMA | {"base_url": f"{server.url}/v1"} | changes)

    assert words in response.content.decode()
    assert not Provider.objects.filter(slug="ollama").exists()


def test_vendors_key_goes_to_no_address_of_a_row(settings: Any) -> None:
    settings.OPENAI_API_KEY = KEY
    settings.MODEL_KEYS = {"OPENAI_API_KEY": KEY}
    with pytest.raises(IntegrityError), transaction.atomic():
        Provider.objects.filter(slug="openai").update(base_url="https://elsewhere.example/v1")

    assert endpoint_for(Access("https://elsewhere.example/v1", "OPENAI_API_KEY")).base_url == settings.OPENAI_BASE_URL


def test_missing_key_is_seen_before_anything_is_sent() -> None:
    assert can_be_asked(Access("http://127.0.0.1:11434/v1"))
    assert not can_be_asked(Access("http://127.0.0.1:11434/v1", "NOBODYS_API_KEY"))
    assert not can_be_asked(Access("", "ANTHROPIC_API_KEY"))


# --- Prices are history -----------------------------------------------------------------------------------------------


@pytest.fixture
def haiku() -> LlmModel:
    return LlmModel.objects.get(model_id="claude-haiku-5-5")


def price_of(model: LlmModel, **columns: Any) -> ModelPrice:
    return add_price(ModelPrice(model=model, **{"input_nanos": 1, "output_nanos": 2, **columns}), by="staff")


def test_every_model_of_the_table_has_its_price_as_the_first_of_its_history() -> None:
    kept = {
        (row.model.provider_id, row.model.model_id): (row.price, row.version, row.model.capabilities)
        for row in ModelPrice.objects.select_related("model")
    }

    assert kept == {(s.provider, s.model_id): (s.price, s.price_version, s.capabilities) for s in PRICES}


def test_new_price_holds_from_now_on_and_old_lines_stay(
    staff: Client, shop: Workspace, server: Server, api: ApiClient
) -> None:
    model = add_ollama(staff, server)
    client = api(shop)

    def describe(title: str) -> None:
        client.post("/api/v1/descriptions", {"product": {"title": title}}, content_type="application/json")

    describe("Oak Board")
    before = UsageEntry.objects.in_workspace(shop).values().get()
    form = {name: value for name, value in QWEN.items() if name not in ("provider", "model_id")}
    dearer = {"input_nanos": "3", "output_nanos": "12"}
    assert saved(staff.post(reverse(f"{MODELS}_change", args=[model.pk]), form | price_rows(dearer)))
    describe("Elm Board")

    lines = list(UsageEntry.objects.in_workspace(shop).order_by("recorded_at").values())
    today = f"{timezone.now():%Y-%m-%d}"
    assert lines[0] == before
    assert [line["price_version"] for line in lines] == [today, f"{today}.2"]
    assert lines[1]["cost_nanos"] > 5 * lines[0]["cost_nanos"]
    first, second = ModelPrice.objects.filter(model=model).order_by("pk")
    assert (first.input_nanos, second.input_nanos) == (300_000_000, 3_000_000_000)
    assert second.added_by == "staff@contentopt.example"


def test_price_to_come_does_not_hold_yet(haiku: LlmModel) -> None:
    price_of(haiku, valid_from=timezone.now() + timedelta(days=3))

    in_force = ModelPrice.objects.in_force().get(model=haiku)

    assert in_force.version == "2026-11-21"


def test_of_two_prices_from_the_same_moment_the_last_added_holds(haiku: LlmModel) -> None:
    moment = timezone.now()
    price_of(haiku, valid_from=moment)
    corrected = price_of(haiku, valid_from=moment, input_nanos=5)

    assert ModelPrice.objects.in_force().get(model=haiku) == corrected


def test_price_is_never_rewritten(haiku: LlmModel) -> None:
    with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
        ModelPrice.objects.filter(model=haiku).update(input_nanos=1)


@pytest.mark.parametrize(
    "columns",
    [
        {"input_nanos": -1},
        {"cached_read_nanos": -1},
        {"input_nanos": None},
        {"long_context_from": 1_000},
        {"long_input_nanos": 9, "long_output_nanos": 9},
        {"long_context_from": 1_000, "long_input_nanos": 0, "long_output_nanos": 9},
        {"long_context_from": 0, "long_input_nanos": 9, "long_output_nanos": 9},
    ],
    ids=str,
)
def test_price_that_cannot_be_reckoned_with_is_not_kept(haiku: LlmModel, columns: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        price_of(haiku, **columns)


@pytest.mark.parametrize(
    ("rates", "words"),
    [
        ({"output_nanos": "1"}, "This field is required"),
        ({"input_nanos": "-1", "output_nanos": "1"}, "makes no sense here"),
        ({"input_nanos": "cheap", "output_nanos": "1"}, "Write an amount in dollars"),
        (RATES | {"long_context_from": "9000"}, "A price for long contexts needs this"),
        (RATES | LONG | {"long_input_nanos": "0.10"}, "No lower than the ordinary rate"),
        (RATES | {"valid_from_0": "2026-01-01", "valid_from_1": "00:00:00"}, "keeps its price"),
    ],
)
def test_form_says_what_is_wrong_with_a_price(staff: Client, server: Server, rates: dict[str, str], words: str) -> None:
    staff.post(reverse(f"{PROVIDERS}_add"), OLLAMA | {"base_url": f"{server.url}/v1"})

    response = staff.post(reverse(f"{MODELS}_add"), QWEN | price_rows(rates))

    assert words in response.content.decode()
    assert not LlmModel.objects.filter(provider="ollama").exists()


def test_what_a_price_does_not_list_costs_as_the_input_or_the_output(haiku: LlmModel) -> None:
    price = price_of(
        haiku, input_nanos=10, output_nanos=50, long_context_from=9, long_input_nanos=20, long_output_nanos=70
    ).price

    assert (price.cached_read, price.cache_write_short, price.cache_write_long, price.batch_input) == (10, 10, 10, 10)
    assert (price.batch_output, price.long_cached_read, price.long_cache_write_long) == (50, 20, 20)


def test_staff_see_the_history_of_a_price(staff: Client, haiku: LlmModel) -> None:
    price_of(haiku, valid_from=timezone.now() + timedelta(days=3), input_nanos=250_000_000)

    page = staff.get(reverse(f"{MODELS}_change", args=[haiku.pk])).content.decode()

    assert "$0.25" in page
    assert "to come" in page
    assert page.index("in force") > page.index("to come")


# --- Trying a model ---------------------------------------------------------------------------------------------------


def try_it(staff: Client, model: LlmModel) -> str:
    page: str = staff.post(reverse("staff_try_model", args=[model.pk])).content.decode()
    return page


def test_trial_sends_one_request_that_the_platform_pays(staff: Client, server: Server) -> None:
    model = add_ollama(staff, server)

    page = try_it(staff, model)

    assert "It serves: the text passed the check." in page
    assert "Linen Apron" in page
    call = LlmCall.objects.in_workspace(PLATFORM_WORKSPACE_ID).get()
    line = UsageEntry.objects.in_workspace(PLATFORM_WORKSPACE_ID).get()
    assert (call.outcome, line.endpoint, line.cost_nanos) == ("accepted", "trial", call.cost_nanos)
    assert server.meter()["requests"] == 1


def test_looking_at_the_page_of_a_trial_sends_nothing(staff: Client, server: Server) -> None:
    model = add_ollama(staff, server)

    page = staff.get(reverse("staff_try_model", args=[model.pk])).content.decode()

    assert "One request, at most $" in page
    assert server.meter()["requests"] == 0


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        ({"status": 404, "error_code": "model_not_found"}, "The provider answered 404 (model_not_found)."),
        ({"status": 401}, "The provider answered 401 (scripted_error)."),
        ({"text": "The best steel apron there is, 3 m long, made in Italy."}, "the check refused its text"),
        ({"fault": "not_json"}, "The provider&#x27;s answer"),
        ({"stop": "length"}, "The text was cut off (length)."),
    ],
    ids=["unknown model", "wrong key", "false text", "no API", "cut"],
)
def test_trial_says_in_words_what_went_wrong(
    staff: Client, server: Server, behaviour: dict[str, Any], words: str
) -> None:
    model = add_ollama(staff, server)
    server.behave(behaviour)

    assert words in try_it(staff, model)


def test_trial_of_a_model_that_cannot_be_asked_says_why(staff: Client, haiku: LlmModel) -> None:
    assert "The environment holds no ANTHROPIC_API_KEY." in try_it(staff, haiku)


def test_trial_of_a_model_without_a_price_says_why(staff: Client, server: Server) -> None:
    model = add_ollama(staff, server)
    ModelPrice.objects.filter(model=model).delete()

    assert "No price holds by now" in try_it(staff, model)
    assert server.meter()["requests"] == 0


def test_trial_stops_where_all_paid_calls_do(staff: Client, server: Server) -> None:
    model = add_ollama(staff, server)
    stop_spending(reason="A test", by="staff")

    assert "Nothing was sent. New texts are paused for everyone" in try_it(staff, model)
    assert server.meter()["requests"] == 0
    assert Platform.objects.get().is_stopped


# --- Models that end --------------------------------------------------------------------------------------------------


@pytest.fixture
def sonnet_4_5(staff: Client) -> LlmModel:
    """A model of which the vendor's SDK says that it retires on 30 November 2026."""
    form = QWEN | {"provider": "anthropic", "model_id": "claude-sonnet-4-5"}
    assert saved(staff.post(reverse(f"{MODELS}_add"), form | price_rows(RATES)))
    return LlmModel.objects.get(model_id="claude-sonnet-4-5")


def test_end_that_the_sdk_knows_of_alarms_staff_and_is_marked(
    staff: Client, sonnet_4_5: LlmModel, settings: Any
) -> None:
    settings.ANTHROPIC_API_KEY = KEY

    with capture_logs() as logs:
        note_retirements()
        note_retirements()

    mail = Notice.objects.in_workspace(PLATFORM_WORKSPACE_ID).get()
    assert mail.details["subject"] == "claude-sonnet-4-5 retires on 30 November 2026"
    assert {"event": "model_retires", "model": "claude-sonnet-4-5", "on": "2026-11-30"}.items() <= logs[0].items()
    page = staff.get(reverse(f"{MODELS}_changelist")).content.decode()
    assert "30 Nov 2026" in page


def test_no_alarm_is_raised_for_a_model_nobody_uses(sonnet_4_5: LlmModel) -> None:
    LlmModel.objects.filter(pk=sonnet_4_5.pk).update(is_default=False)

    assert note_retirements() == []
    assert str(LlmModel.objects.get(pk=sonnet_4_5.pk).retires_on) == "2026-11-30"


def test_model_that_ends_still_serves_until_then(
    staff: Client, sonnet_4_5: LlmModel, server: Server, settings: Any
) -> None:
    settings.ANTHROPIC_API_KEY, settings.ANTHROPIC_BASE_URL = KEY, server.url

    assert "It serves: the text passed the check." in try_it(staff, sonnet_4_5)


def test_every_end_that_the_sdk_announces_can_be_read() -> None:
    assert all(retires_on("anthropic", model_id) for model_id in DEPRECATED_MODELS)
