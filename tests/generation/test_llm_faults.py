"""What callers get when a provider fails: the kind, whether to try again, and who pays."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from email.utils import formatdate
from typing import Any

import pytest

from generation.llm.errors import LlmError
from generation.llm.providers import complete
from generation.llm.types import Endpoint
from tests.generation.llm_calls import ANTHROPIC, OPENAI, STREAMED, Api, make_request
from tests.servers import Provider, run_provider

both = pytest.mark.parametrize(
    "api", [ANTHROPIC, OPENAI, *STREAMED], ids=["anthropic", "openai", "anthropic-stream", "openai-stream"]
)
streamed = pytest.mark.parametrize("api", STREAMED, ids=["anthropic", "openai"])


@pytest.fixture(scope="module")
def process() -> Iterator[Provider]:
    with run_provider() as running:
        yield running


@pytest.fixture
def server(process: Provider) -> Provider:
    process.reset()
    return process


def fail(api: Api, server: Provider, behaviour: dict[str, Any], **changes: Any) -> LlmError:
    server.behave(behaviour)
    with pytest.raises(LlmError) as caught:
        api.complete(server, **changes)
    return caught.value


@both
@pytest.mark.parametrize(
    ("status", "kind", "retryable", "may_have_been_charged"),
    [
        (307, "bad_request", False, False),
        (400, "bad_request", False, False),
        (401, "auth", False, False),
        (402, "auth", False, False),
        (403, "auth", False, False),
        (404, "not_found", False, False),
        (408, "timeout", True, True),
        (409, "server", True, False),
        (413, "bad_request", False, False),
        (422, "bad_request", False, False),
        (429, "rate_limited", True, False),
        (500, "server", True, False),
        (502, "server", True, True),
        (503, "overloaded", True, False),
        (504, "timeout", True, True),
        (529, "overloaded", True, False),
    ],
)
def test_error_status_tells_what_to_do(
    server: Provider, api: Api, status: int, kind: str, retryable: bool, may_have_been_charged: bool
) -> None:
    error = fail(api, server, {"status": status})

    assert (error.kind, error.retryable, error.may_have_been_charged) == (kind, retryable, may_have_been_charged)
    assert error.usage is None


@both
def test_sdk_never_retries_by_itself(server: Provider, api: Api) -> None:
    fail(api, server, {"status": 500})

    assert server.meter()["requests"] == 1


@both
@pytest.mark.parametrize(
    ("header", "seconds"), [("2", 2.0), ("0.5", 0.5), ("4000000", 60.0), ("", None), ("soon", None), ("nan", None)]
)
def test_retry_after_is_honoured_up_to_a_minute(server: Provider, api: Api, header: str, seconds: float | None) -> None:
    assert fail(api, server, {"status": 429, "retry_after": header}).retry_after == seconds


def test_retry_after_may_be_a_date(server: Provider) -> None:
    in_half_a_minute = formatdate(time.time() + 30, usegmt=True)

    error = fail(ANTHROPIC, server, {"status": 429, "retry_after": in_half_a_minute})

    assert error.retry_after == pytest.approx(30, abs=3)


def test_account_without_credit_is_not_retried(server: Provider) -> None:
    error = fail(OPENAI, server, {"status": 429, "error_code": "insufficient_quota"})

    assert (error.kind, error.retryable) == ("auth", False)


@both
@pytest.mark.parametrize("status", [400, 401, 429, 500])
def test_messages_hold_neither_key_nor_prompt(server: Provider, api: Api, status: int) -> None:
    error = fail(api, server, {"status": status, "error_code": "overloaded_error"})

    assert error.message == f"The provider answered {status} (overloaded_error)."
    assert "test-key" not in repr(error)


@both
def test_vendor_code_that_is_no_code_is_left_out(server: Provider, api: Api) -> None:
    error = fail(api, server, {"status": 400, "error_code": "Bad key: test-key"})

    assert error.message == "The provider answered 400."


@both
def test_refused_connection_costs_nothing(api: Api) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        endpoint = Endpoint(f"http://127.0.0.1:{unused.getsockname()[1]}", "test-key")
        with pytest.raises(LlmError) as caught:
            api.ask(endpoint)

    error = caught.value
    assert (error.kind, error.retryable, error.may_have_been_charged) == ("connection", True, False)


@both
def test_failed_tls_handshake_costs_nothing(server: Provider, api: Api) -> None:
    with pytest.raises(LlmError) as caught:
        api.ask(Endpoint(server.url.replace("http:", "https:"), "test-key"))

    error = caught.value
    assert (error.kind, error.retryable, error.may_have_been_charged) == ("connection", True, False)


@both
def test_invalid_address_is_a_configuration_error(api: Api) -> None:
    with pytest.raises(LlmError) as caught:
        api.ask(Endpoint("gopher://provider.example", "test-key"))

    assert (caught.value.kind, caught.value.retryable) == ("bad_request", False)


@both
def test_missing_key_is_an_auth_error(server: Provider, api: Api) -> None:
    with pytest.raises(LlmError) as caught:
        api.ask(Endpoint(server.url, ""))

    assert caught.value.kind == "auth"
    assert server.meter()["requests"] == 0


@both
def test_timeout_may_have_been_charged(server: Provider, api: Api) -> None:
    error = fail(api, server, {"delay_ms": 1_000}, deadline_seconds=0.2)

    assert (error.kind, error.retryable, error.may_have_been_charged) == ("timeout", True, True)


@both
def test_trickling_reply_ends_at_the_deadline(server: Provider, api: Api) -> None:
    started = time.monotonic()

    error = fail(api, server, {"fault": "trickle"}, deadline_seconds=0.3)

    assert error.kind == "timeout"
    assert time.monotonic() - started < 10  # of thirty


@both
@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("drop", "connection"),
        ("drop_midway", "connection"),
        ("broken_json", "malformed"),
        ("not_json", "malformed"),
    ],
)
def test_broken_reply_may_have_been_charged(server: Provider, api: Api, fault: str, kind: str) -> None:
    error = fail(api, server, {"fault": fault})

    assert (error.kind, error.retryable, error.may_have_been_charged) == (kind, True, True)


@both
def test_empty_text_is_a_failure_that_was_paid(server: Provider, api: Api) -> None:
    error = fail(api, server, {"text": " ", "output_tokens": 3})

    assert error.kind == "empty"
    assert error.usage is not None
    assert error.usage.output == 3


@both
def test_cut_text_is_a_failure_that_was_paid(server: Provider, api: Api) -> None:
    error = fail(api, server, {"stop": api.cut_stop, "output_tokens": 500})

    assert (error.kind, error.retryable) == ("cut", False)
    assert error.usage is not None
    assert error.usage.output == 500


@pytest.mark.parametrize(
    ("api", "behaviour"),
    [
        (ANTHROPIC, {"stop": "refusal"}),
        (OPENAI, {"stop": "content_filter"}),
        (OPENAI, {"refusal": "I'd rather not."}),
        (OPENAI, {"status": 400, "error_code": "content_policy_violation"}),
    ],
)
def test_refusal_is_told_apart(server: Provider, api: Api, behaviour: dict[str, Any]) -> None:
    error = fail(api, server, behaviour)

    assert (error.kind, error.retryable) == ("refused", False)


@both
@pytest.mark.parametrize("stop", [None, "tool_use", "tool_calls", "pause_turn", "a_word_of_next_year"])
def test_text_without_a_known_ending_is_not_a_success(server: Provider, api: Api, stop: str | None) -> None:
    error = fail(api, server, {"stop": stop})

    assert error.kind == "malformed"
    assert error.usage is not None


@both
def test_failure_without_usage_may_have_been_charged(server: Provider, api: Api) -> None:
    error = fail(api, server, {"stop": api.cut_stop, "usage": None})

    assert error.usage is None
    assert error.may_have_been_charged


@streamed
@pytest.mark.parametrize("after", [0, 1, 3])
@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("drop_midway", "connection"),
        ("end_early", "malformed"),
        ("broken_json", "malformed"),
        ("stall", "timeout"),
        ("error_event", "overloaded"),
    ],
)
def test_stream_that_breaks_off_is_no_text_and_may_have_been_charged(
    server: Provider, api: Api, fault: str, kind: str, after: int
) -> None:
    server.behave({"fault": fault, "after": after})
    pieces: list[str] = []

    with pytest.raises(LlmError) as caught:
        complete(make_request(deadline_seconds=0.5), api.spec, api.endpoint(server), pieces.append)

    error = caught.value
    assert (error.kind, error.retryable, error.usage, error.may_have_been_charged) == (kind, True, None, True)
    assert len(pieces) == after
    assert "test-key" not in repr(error)


@streamed
def test_stream_that_never_ends_is_closed_at_the_deadline(server: Provider, api: Api) -> None:
    error = fail(api, server, {"pieces": 1_000, "piece_ms": 20, "text": "word " * 1_000}, deadline_seconds=0.3)

    assert (error.kind, error.may_have_been_charged) == ("timeout", True)


@streamed
def test_whole_stream_without_usage_is_a_text_of_unknown_cost(server: Provider, api: Api) -> None:
    server.behave({"usage": None})

    assert api.complete(server).usage is None


@both
def test_next_call_after_a_fault_succeeds(server: Provider, api: Api) -> None:
    server.behave({"fault": "drop"}, {"status": 529}, {})
    for _ in range(2):
        with pytest.raises(LlmError):
            api.complete(server)

    assert api.complete(server).finish_reason == api.good_stop
