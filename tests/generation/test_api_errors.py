"""What bad input gets: the right status, one error shape, and nothing changed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client, RequestFactory
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Workspace
from contentopt.api import error_response
from contentopt.errors import DomainError
from contentopt.views import server_error
from generation.models import LlmCall, Text
from tests.conftest import ApiClient

pytestmark = pytest.mark.django_db

URL = "/api/v1/descriptions"
MUG = {"title": "Mug", "attributes": {"Color": "red"}}


@pytest.fixture
def client(shop: Workspace, api: ApiClient) -> Client:
    return api(shop)


def send(client: Client, body: str | bytes, content_type: str = "application/json") -> Any:
    return client.generic("POST", URL, body, content_type)


def post(client: Client, body: Any) -> Any:
    return send(client, json.dumps(body))


def error_of(response: Any, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/json"
    body = response.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message", "details"}
    assert body["error"]["message"]
    return dict(body["error"])


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"",
        b"not json",
        b'{"product": {"title": "Mug"}',
        b'{"prompt": NaN}',
        b'\xff\xfe{"prompt"',
        b'{"prompt": "a", "prompt": "b"}',
        b'{"product": {"title": "Mug", "attributes": {"Color": "red", "Color": "blue"}}}',
        b"[" * 100_000,
        b"[" * 50 + b"]" * 50,
        b'{"product": {"title": "Mug", "attributes": {"Weight": ' + b"9" * 5_000 + b"}}}",
    ],
    ids=lambda body: repr(body[:30]),
)
def test_a_body_that_is_no_clear_json_is_malformed(client: Client, body: bytes) -> None:
    response = send(client, body)
    if body == b"":
        error_of(response, 422)  # no body at all: nothing malformed, but everything missing
    else:
        assert error_of(response, 400)["code"] == "malformed_json"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "non_field_errors"),
        ([], "non_field_errors"),
        ("a string", "non_field_errors"),
        (None, "non_field_errors"),
        ({"product": MUG, "prompt": "both"}, "non_field_errors"),
        ({"product": MUG, "colour": "red"}, "colour"),
        ({"product": {**MUG, "colour": "red"}}, "product"),
        ({"product": []}, "product"),
        ({"product": {}}, "product"),
        ({"product": {"title": ""}}, "product"),
        ({"product": {"title": "   "}}, "product"),
        ({"product": {"title": 5}}, "product"),
        ({"product": {"title": True}}, "product"),
        ({"product": {"title": "M" * 501}}, "product"),
        ({"product": {**MUG, "attributes": []}}, "product"),
        ({"product": {**MUG, "attributes": {"Color": None}}}, "product"),
        ({"product": {**MUG, "attributes": {"Color": {"a": "red"}}}}, "product"),
        ({"product": {**MUG, "attributes": {"Color": ["red", 5]}}}, "product"),
        ({"product": {**MUG, "attributes": {"Color": "r" * 5_001}}}, "product"),
        ({"product": {**MUG, "attributes": {"Weight": 10**400}}}, "product"),
        ({"product": {**MUG, "attributes": {str(n): n for n in range(301)}}}, "product"),
        ({"product": {**MUG, "attributes": {"l" * 201: "x"}}}, "product"),
        ({"product": {**MUG, "features": "one"}}, "product"),
        ({"product": {**MUG, "features": ["f"] * 101}}, "product"),
        ({"product": {**MUG, "variants": [{"Size": 5}]}}, "product"),
        ({"prompt": "p" * 20_001}, "prompt"),
        ({"prompt": 5}, "prompt"),
        ({"product": MUG, "tone": "angry"}, "tone"),
        ({"product": MUG, "tone": None}, "tone"),
        ({"product": MUG, "tone": ["neutral"]}, "tone"),
        ({"product": MUG, "language": "xx"}, "language"),
        ({"product": MUG, "keywords": ["k"] * 21}, "keywords"),
        ({"product": MUG, "voice": "v" * 1_001}, "voice"),
        ({"product": MUG, "fields": ["title"]}, "fields"),
        ({"product": MUG, "fields": "description"}, "fields"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_a_wrong_field_is_named(client: Client, shop: Workspace, body: Any, field: str) -> None:
    error = error_of(post(client, body), 422)

    assert error["code"] == "invalid"
    assert list(error["details"]) == [field]
    assert LlmCall.objects.in_workspace(shop).count() == 0


@pytest.mark.parametrize(
    "text",
    ['"M\\u0000g"', '"M\\ud800g"', "1e400", "-1e400", '["a\\u0000"]'],
)
def test_values_that_cannot_be_kept_are_refused(client: Client, text: str) -> None:
    error = error_of(send(client, f'{{"product": {{"title": "Mug", "attributes": {{"Color": {text}}}}}}}'), 422)
    assert list(error["details"]["product"]["attributes"]) == ["Color"]


@pytest.mark.parametrize("label", ["Col\\u0000or", "Col\\ud800or", ""])
def test_labels_that_cannot_be_kept_are_refused(client: Client, label: str) -> None:
    for place, value in (("attributes", f'{{"{label}": "red"}}'), ("variants", f'[{{"{label}": "red"}}]')):
        error = error_of(send(client, f'{{"product": {{"title": "Mug", "{place}": {value}}}}}'), 422)
        assert list(error["details"]["product"]) == [place]


@pytest.mark.parametrize(
    "title",
    [
        "Tasse 🫖 für Zwei",
        "كوب أحمر",
        "ספל אדום",
        "Mug\u202egnud",
        "=HYPERLINK(1)",
        "マグ",
    ],
)
def test_any_script_and_any_sign_is_text(client: Client, title: str) -> None:
    response = post(client, {"product": {"title": title, "attributes": {"Color": "red"}}})
    assert response.status_code == 200
    assert response.json()["text"]


def test_code_in_a_title_never_gets_into_a_text(client: Client) -> None:
    response = post(client, {"product": {"title": "<script>alert(1)</script> Mug", "attributes": {"Color": "red"}}})
    if response.status_code == 200:
        assert "<script" not in response.json()["text"]
    else:
        assert error_of(response, 422)["code"] == "text_refused"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(
        json_values,
        st.fixed_dictionaries(
            {"product": st.fixed_dictionaries({"title": st.text()}, optional={"attributes": json_values})}
        ),
        st.fixed_dictionaries({"prompt": st.text(max_size=50)}, optional={"tone": json_values, "fields": json_values}),
    )
)
def test_no_json_whatever_breaks_it(client: Client, body: Any) -> None:
    response = post(client, body)
    if response.status_code != 200:
        assert error_of(response, 422)["code"] in ("invalid", "no_facts", "text_refused")


def test_a_body_over_a_megabyte_is_too_large(client: Client) -> None:
    body = json.dumps({"prompt": "x" * 1024 * 1024})
    assert error_of(send(client, body), 413)["code"] == "too_large"


def test_a_chunked_body_is_not_taken_for_an_empty_one(client: Client) -> None:
    response = client.generic("POST", URL, b"", "application/json", headers={"Transfer-Encoding": "chunked"})
    assert error_of(response, 411)["code"] == "length_required"


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "application/x-www-form-urlencoded", "x"])
def test_another_content_type_is_unsupported(client: Client, content_type: str) -> None:
    assert error_of(send(client, '{"prompt": "x"}', content_type), 415)["code"] == "unsupported_media_type"


def test_another_method_is_not_allowed(client: Client) -> None:
    response = client.get(URL)
    assert error_of(response, 405)["code"] == "method_not_allowed"
    assert "POST" in response["Allow"]


def test_another_reply_format_is_not_acceptable(client: Client) -> None:
    assert error_of(client.get("/api/v1/usage", headers={"Accept": "image/png"}), 406)["code"] == "not_acceptable"


def test_an_unknown_address_is_not_found(client: Client) -> None:
    for url in (
        "/api/v1/nothing",
        "/api/v1/texts/5",
        "/api/v1/usage/",
        "/api/",
        "/api/v1/texts/a%0Ab/review",
        "/api/%0A",
    ):
        assert error_of(client.get(url), 404)["code"] == "not_found"


@pytest.mark.parametrize("status", [429, 503])
def test_to_come_back_later_always_says_when(status: int) -> None:
    response = error_response(DomainError("Busy.", code="busy", status=status), {})
    assert response is not None
    assert int(response["Retry-After"]) > 0


def test_a_breakdown_is_told_in_the_same_shape() -> None:
    request = RequestFactory().get("/api/v1/usage")
    request.META["contentopt.request_id"] = "abc"
    error = error_of_plain(server_error(request).content)
    assert error["code"] == "server_error"
    assert error["details"] == {"request_id": "abc"}


def error_of_plain(content: bytes) -> dict[str, Any]:
    body = json.loads(content)
    assert set(body["error"]) == {"code", "message", "details"}
    return dict(body["error"])


@pytest.mark.parametrize(
    "authorization", [None, "", "Bearer", "Bearer ", "Bearer co_00000000.wrong", "Token abc", "Bearer 🔑", "Basic YTpi"]
)
def test_without_a_good_key_it_asks_for_one(shop: Workspace, authorization: str | None) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    response = Client(headers=headers).get("/api/v1/usage")
    assert error_of(response, 401)["code"] == "unauthenticated"
    assert response["WWW-Authenticate"] == "Bearer"


def test_a_key_that_may_only_read_cannot_write(shop: Workspace, api: ApiClient) -> None:
    response = post(api(shop, ["read"]), {"product": MUG})
    assert error_of(response, 403)["code"] == "forbidden"
    assert Text.objects.in_workspace(shop).count() == 0


def test_replies_are_never_kept_by_a_cache(client: Client) -> None:
    assert client.get("/api/v1/usage")["Cache-Control"] == "no-store"
