"""Texts that are read while they are written, in the whole product: readers leave, workers die, Valkey is away."""

from __future__ import annotations

import resource
import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import httpx2
import pytest

from tests.events import Event, read_events, told
from tests.races.bursts import assert_books_agree, body, numbers, watched
from tests.races.product import Product, eventually

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("product")]

PIECES = 12
SLOWLY = {"pieces": PIECES, "piece_ms": 100}


@pytest.fixture(scope="session")
def key(running_product: Product) -> str:
    return running_product.create_key("Reader")


@contextmanager
def reading(product: Product, key: str, method: str, path: str, **options: object) -> Iterator[Iterator[Event]]:
    headers = {"Authorization": f"Bearer {key}", "Accept": "text/event-stream"} | options.pop("headers", {})  # type: ignore[operator]
    url = f"{product.url}/api/v1/{path}"
    with httpx2.stream(method, url, headers=headers, timeout=60, **options) as response:  # type: ignore[arg-type]
        assert response.status_code == 200, response.read()
        yield read_events(response.iter_lines())


def ask_aloud(product: Product, key: str, number: int) -> list[Event]:
    with reading(product, key, "POST", "descriptions", json=body(number)) as events:
        return list(events)


def stream_ids(product: Product, number: int) -> list[str]:
    found = product.fetch("SELECT id FROM generation_stream WHERE facts->>'title' = %s", f"Mug {number:05d}")
    return [str(row[0]) for row in found]


def state_of(product: Product, number: int) -> str:
    found = product.fetch("SELECT state FROM generation_stream WHERE facts->>'title' = %s", f"Mug {number:05d}")
    return str(found[0][0]) if found else ""


def test_pieces_come_while_the_rest_is_still_being_written(product: Product, key: str) -> None:
    product.provider.behave(SLOWLY)
    began = time.monotonic()
    with reading(product, key, "POST", "descriptions", json=body(next(numbers))) as events:
        came = [(event, time.monotonic() - began) for event in events]

    *pieces, (last, ended) = came
    assert last.name == "done"
    assert told(event for event, _ in pieces) == last.data["text"]
    assert len(pieces) >= PIECES / 2
    first = pieces[0][1]
    assert ended - first > 0.5 * PIECES * SLOWLY["piece_ms"] / 1000
    assert_books_agree(product)


@pytest.mark.parametrize("events_read", [0, 1, 4, 100])
def test_reader_who_leaves_loses_neither_the_text_nor_the_money(product: Product, key: str, events_read: int) -> None:
    product.provider.behave(SLOWLY)
    number = next(numbers)

    with reading(product, key, "POST", "descriptions", json=body(number)) as events:
        for _ in zip(range(events_read), events, strict=False):
            pass

    assert eventually(lambda: state_of(product, number) == "done")
    assert_books_agree(product)
    again = ask_aloud(product, key, number)
    assert (again[-1].name, again[-1].data["source"]) == ("done", "exact")
    assert product.provider.meter()["requests"] == 1


def test_reader_who_comes_back_goes_on_where_they_were(product: Product, key: str) -> None:
    product.provider.behave(SLOWLY)
    number = next(numbers)
    with reading(product, key, "POST", "descriptions", json=body(number)) as events:
        before = [next(events), next(events)]
    (stream_id,) = stream_ids(product, number)

    headers = {"Last-Event-ID": before[-1].id}
    with reading(product, key, "GET", f"streams/{stream_id}", headers=headers) as events:
        after = list(events)
    with reading(product, key, "GET", f"streams/{stream_id}") as events:
        afterwards = list(events)

    text = after[-1].data["text"]
    assert told([*before, *after]) == text
    assert told(after) != text
    assert (told(afterwards), afterwards[-1].data) == (text, after[-1].data)


def test_several_readers_of_one_stream_read_the_same(product: Product, key: str) -> None:
    product.provider.behave(SLOWLY)
    number = next(numbers)
    headers = {"Idempotency-Key": f"same-{number}"}

    def read(_: int) -> list[Event]:
        with reading(product, key, "POST", "descriptions", json=body(number), headers=headers) as events:
            return list(events)

    with ThreadPoolExecutor(6) as pool:
        readers = list(pool.map(read, range(6)))

    assert {events[-1].data["id"] for events in readers} == {readers[0][-1].data["id"]}
    assert all(told(events) == events[-1].data["text"] for events in readers)
    assert product.provider.meter()["requests"] == 1


def test_killed_worker_is_replaced_and_what_it_told_is_void(product: Product, key: str) -> None:
    product.provider.behave({"pieces": PIECES, "piece_ms": 1_000}, SLOWLY)
    number = next(numbers)

    with watched(product) as violations, reading(product, key, "POST", "descriptions", json=body(number)) as events:
        read = [next(events)]
        product.kill("streams")
        read += list(events)

    assert [event.name for event in read].count("restart") == 1
    assert read[-1].name == "done"
    assert told(read) == read[-1].data["text"]
    assert violations == []
    # What the first one had asked for counts at its ceiling: nobody knows what of it was written.
    product.settle_open_holds()
    ids = product.provider.meter()["call_ids"]
    ends = "SELECT state FROM accounts_reservation WHERE id::text = ANY(%s) ORDER BY state"
    assert product.fetch(ends, ids) == [("committed",), ("settled",)]
    lines = "SELECT r.amount_nanos = e.cost_nanos FROM accounts_usageentry e JOIN accounts_reservation r"
    lines += " ON r.id = e.reservation_id WHERE r.id::text = ANY(%s) AND r.state = 'committed'"
    assert product.fetch(lines, ids) == [(True,)]


@pytest.mark.parametrize("fault", [signal.SIGKILL, signal.SIGSTOP])
def test_text_arrives_at_the_end_while_valkey_is_away(product: Product, key: str, fault: signal.Signals) -> None:
    product.provider.behave({"pieces": PIECES, "piece_ms": 300})
    number = next(numbers)
    try:
        with reading(product, key, "POST", "descriptions", json=body(number)) as events:
            read = [next(events)]
            product.kill("valkey", fault)
            read += list(events)
    finally:
        product.kill("valkey", signal.SIGCONT)

    assert read[-1].name == "done"
    assert read[-1].data["text"].startswith(read[0].data["text"].strip())
    assert_books_agree(product)


def test_thousands_of_open_connections_keep_nobody_out(product: Product) -> None:
    """As many open streams are: each is one, for as long as it is open."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with ExitStack() as opened:
        for _ in range(2_000):
            opened.enter_context(socket.create_connection(("127.0.0.1", product.port)))
        answers = [httpx2.get(f"{product.url}/healthz", timeout=20).status_code for _ in range(8)]

    assert answers == [200] * 8


def test_refusal_ends_the_stream_in_the_usual_shape(product: Product, key: str) -> None:
    product.provider.behave({"status": 400})

    read = ask_aloud(product, key, next(numbers))

    assert [event.name for event in read] == ["error"]
    assert read[0].data["error"]["code"] == "provider_unavailable"
