"""One text that is read while it is written: what its worker tells, and what is left of it in the end."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest
from django.test import Client
from django_redis import get_redis_connection

from accounts.admission import Admission
from accounts.models import Plan, UsageEntry, Workspace
from contentopt.events import EventStream
from contentopt.jobs import JobState
from generation.models import LlmCall, Stream, Text
from generation.streams.events import END, RESTART, TEXT, key_of
from generation.streams.subscribing import subscribe
from generation.streams.writing import write_stream
from tests.conftest import ApiClient
from tests.events import Event, events_of
from tests.races.product import eventually
from tests.servers import KEY, Provider

pytestmark = pytest.mark.django_db

APRON = {"title": "Linen Apron", "attributes": {"Material": "linen", "Pockets": 2}}
TEXT_OF_APRON = "The Linen Apron. Material: linen. Pockets: 2."


@pytest.fixture
def client(shop: Workspace, api: ApiClient) -> Client:
    return api(shop)


@pytest.fixture
def model(provider: Provider, settings: Any) -> Provider:
    settings.ANTHROPIC_API_KEY, settings.ANTHROPIC_BASE_URL = KEY, provider.url
    return provider


def ask(client: Client, body: dict[str, Any] | None = None, key: str = "", query: str = "") -> Any:
    headers = {"Accept": "text/event-stream"} | ({"Idempotency-Key": key} if key else {})
    url = f"/api/v1/descriptions{query}"
    return client.post(url, body or {"product": APRON}, content_type="application/json", headers=headers)


def read_again(client: Client, stream: Stream, last_event_id: str = "") -> list[Event]:
    headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": last_event_id} if last_event_id else {})
    return events_of(client.get(f"/api/v1/streams/{stream.pk}", headers=headers).content)


def entries(stream: Stream) -> list[tuple[bytes, str]]:
    """What stands in Valkey once its end is there."""
    redis = get_redis_connection("default")

    def found() -> list[tuple[bytes, str]]:
        rows = redis.xrange(key_of(stream.pk))
        said = [(name, value.decode()) for _, entry in rows for name, value in entry.items()]
        return said if (END, "1") in said else []

    said: list[tuple[bytes, str]] = eventually(found, 10, pause=0.01)
    return said


def only_stream(shop: Workspace) -> Stream:
    return Stream.objects.in_workspace(shop).get()


def pieces(said: list[tuple[bytes, str]]) -> str:
    return "".join(value for name, value in said if name == TEXT)


def test_text_that_must_be_written_is_left_to_a_worker(client: Client, shop: Workspace) -> None:
    response = ask(client)

    stream = only_stream(shop)
    assert isinstance(response, EventStream)
    assert (stream.state, stream.text) == (JobState.QUEUED, None)
    assert response["Content-Location"] == f"/api/v1/streams/{stream.pk}"
    assert not Text.objects.in_workspace(shop).exists()


def test_worker_tells_the_text_and_stores_it(client: Client, shop: Workspace, model: Provider) -> None:
    ask(client)
    stream = only_stream(shop)

    assert write_stream(stream.pk) == JobState.DONE

    said = entries(stream)
    assert pieces(said) == TEXT_OF_APRON
    assert said[-1] == (END, "1")
    assert RESTART not in dict(said)
    text = Text.objects.in_workspace(shop).get()
    assert (text.description, text.source) == (TEXT_OF_APRON, "model")
    call, line = LlmCall.objects.in_workspace(shop).get(), UsageEntry.objects.in_workspace(shop).get()
    assert call.cost_is_exact
    assert text.cost_nanos == call.cost_nanos == line.cost_nanos > 0
    assert (line.endpoint, line.api_key_id) == ("api", stream.api_key_id)


def test_last_event_is_the_plain_reply(client: Client, shop: Workspace, model: Provider) -> None:
    ask(client, query="?explain=1")
    write_stream(only_stream(shop).pk)

    first, last = read_again(client, only_stream(shop))

    assert (first.name, first.data) == ("text", {"text": TEXT_OF_APRON})
    assert last.name == "done"
    plain = client.post("/api/v1/descriptions", {"product": APRON}, content_type="application/json").json()
    assert set(last.data) == set(plain)
    told = ("text", "evidence", "model", "seo_title", "is_offline", "remaining")
    assert {name: last.data[name] for name in told} == {name: plain[name] for name in told}
    assert last.data["explanation"]["source"] == "model"


def test_reader_who_has_the_text_is_told_the_end_alone(client: Client, shop: Workspace, model: Provider) -> None:
    ask(client)
    write_stream(only_stream(shop).pk)

    assert [event.name for event in read_again(client, only_stream(shop), "1-9")] == ["done"]


def test_known_text_is_given_at_once(client: Client, shop: Workspace) -> None:
    plain = client.post("/api/v1/descriptions", {"product": APRON}, content_type="application/json").json()

    response = ask(client)

    first, last = events_of(response.content)
    assert response["Content-Type"] == "text/event-stream; charset=utf-8"
    assert first.data == {"text": plain["text"]}
    assert (last.name, last.data["text"], last.data["source"]) == ("done", plain["text"], "exact")
    assert not Stream.objects.in_workspace(shop).exists()


def test_text_that_the_check_refuses_is_void_for_readers_too(client: Client, shop: Workspace, model: Provider) -> None:
    model.behave({"text": "An apron of silk."}, {})
    ask(client)
    stream = only_stream(shop)

    write_stream(stream.pk)

    said = entries(stream)
    after = said[[name for name, _ in said].index(RESTART) + 1 :]
    assert "silk" not in pieces(after)
    assert pieces(after) == TEXT_OF_APRON == Text.objects.in_workspace(shop).get().description


def test_family_is_told_with_this_products_values(client: Client, shop: Workspace, model: Provider) -> None:
    model.behave({"pieces": 40})
    ask(client, {"product": {**APRON, "attributes": {"Material": "linen", "Color": "sand"}}})
    stream = only_stream(shop)

    write_stream(stream.pk)

    said = entries(stream)
    assert len(said) > 2
    assert not any("{" in value for _, value in said)
    assert (
        pieces(said)
        == Text.objects.in_workspace(shop).get().description
        == "The Linen Apron. Material: linen. Color: sand."
    )


def test_offline_writer_is_told_as_well(client: Client, shop: Workspace) -> None:
    ask(client)
    stream = only_stream(shop)

    write_stream(stream.pk)

    assert pieces(entries(stream)) == Text.objects.in_workspace(shop).get().description


def test_refusal_of_the_worker_is_an_event_in_the_usual_shape(client: Client, shop: Workspace, model: Provider) -> None:
    model.behave({"status": 529})
    ask(client)
    stream = only_stream(shop)

    assert write_stream(stream.pk) == JobState.FAILED

    assert entries(stream)[-1] == (END, "1")
    (event,) = read_again(client, only_stream(shop))
    assert event.name == "error"
    assert event.data["error"]["code"] == "provider_unavailable"
    assert event.data["error"]["details"]["retry_after"] > 0
    assert "nothing was stored" in event.data["error"]["message"]


@pytest.mark.parametrize("fault", ["drop_midway", "end_early", "broken_json", "error_event"])
def test_stream_that_breaks_off_is_no_text_and_counts_at_its_ceiling(
    client: Client, shop: Workspace, model: Provider, fault: str
) -> None:
    model.behave({"fault": fault})
    ask(client)

    write_stream(only_stream(shop).pk)

    calls = LlmCall.objects.in_workspace(shop)
    assert {(call.outcome, call.cost_is_exact) for call in calls} == {("failed", False)}
    assert {call.pk: call.cost_nanos for call in calls} == {call.pk: call.ceiling_nanos for call in calls}
    lines = UsageEntry.objects.in_workspace(shop).values_list("reservation_id", "cost_nanos")
    assert dict(lines) == {call.pk: call.ceiling_nanos for call in calls}
    assert not Text.objects.in_workspace(shop).exists()


def test_second_worker_finds_nothing_to_do(client: Client, shop: Workspace, model: Provider) -> None:
    ask(client)
    write_stream(only_stream(shop).pk)

    assert write_stream(only_stream(shop).pk) is None
    assert model.meter()["requests"] == 1


def test_same_idempotency_key_reads_the_same_stream(client: Client, shop: Workspace, model: Provider) -> None:
    first, second = ask(client, key="k"), ask(client, key="k")
    assert first["Content-Location"] == second["Content-Location"]

    write_stream(only_stream(shop).pk)
    again = events_of(ask(client, key="k").content)

    assert again[-1].data["id"] == str(Text.objects.in_workspace(shop).get().pk)
    other = ask(client, {"product": {**APRON, "title": "Oak Board"}}, key="k")
    assert (other.status_code, other.json()["error"]["code"]) == (422, "idempotency_key_reused")
    plain = client.post(
        "/api/v1/descriptions", {"product": APRON}, content_type="application/json", headers={"Idempotency-Key": "k"}
    )
    assert plain.json()["id"] == again[-1].data["id"]


def test_idempotency_key_may_try_again_after_a_failure(client: Client, shop: Workspace, model: Provider) -> None:
    model.behave({"status": 500})
    ask(client, key="k")
    write_stream(only_stream(shop).pk)
    model.behave({})

    ask(client, key="k")

    assert sorted(Stream.objects.in_workspace(shop).values_list("state", flat=True)) == ["failed", "queued"]


def test_another_body_under_a_key_in_flight_is_refused(client: Client) -> None:
    ask(client, key="k")

    assert ask(client, {"prompt": "Oak Board"}, key="k").json()["error"]["code"] == "idempotency_key_reused"


@pytest.mark.parametrize("body", [{"product": {}}, {"prompt": "x", "colour": 1}])
def test_refusals_before_anything_is_written_are_plain_json(client: Client, shop: Workspace, body: Any) -> None:
    response = ask(client, body)

    assert (response.status_code, response["Content-Type"]) == (422, "application/json")
    assert response.json()["error"]["code"] == "invalid"
    assert not Stream.objects.in_workspace(shop).exists()


def test_streams_count_against_the_limits(client: Client, shop: Workspace) -> None:
    Plan.objects.filter(pk=shop.plan_id).update(burst_per_minute=2)

    assert [ask(client).status_code for _ in range(3)] == [200, 200, 429]


def test_what_is_left_is_as_of_the_request(client: Client, shop: Workspace, model: Provider) -> None:
    Plan.objects.filter(pk=shop.plan_id).update(burst_per_minute=9)
    ask(client)
    write_stream(only_stream(shop).pk)

    assert read_again(client, only_stream(shop))[-1].data["remaining"] == {"minute": 8, "day": None}


def test_loop_ends_at_whatever_moment_it_is_told_to(shop: Workspace) -> None:
    """A web process must be able to stop while streams are open."""
    stream = Stream.objects.create(workspace=shop, brief={}, facts={}, endpoint="page")

    async def are_ended() -> bool:
        events = subscribe(stream.pk, Admission())
        await anext(events)
        await asyncio.sleep(random.uniform(0, 0.003))  # somewhere between connecting and reading
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        ended, going_on = await asyncio.wait(tasks, timeout=2)
        await events.aclose()
        return bool(ended) and not going_on

    assert all(asyncio.run(are_ended()) for _ in range(100))
