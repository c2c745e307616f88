"""What a text costs that has to be written, besides its model."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import UsageEntry, Workspace
from tests.conftest import ApiClient, Counted
from tests.servers import KEY, Provider

# Requests are not inside a transaction, and what they remember of PostgreSQL counts.
pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

URL = "/api/v1/descriptions"


@pytest.fixture
def client(shop: Workspace, api: ApiClient, provider: Provider, settings: Any) -> Client:
    settings.ANTHROPIC_API_KEY, settings.ANTHROPIC_BASE_URL = KEY, provider.url
    return api(shop)


def describe(client: Client, title: str) -> Any:
    product = {"title": title, "attributes": {"Material": "linen", "Weight": "180 g"}}
    return client.post(URL, {"product": product}, content_type="application/json").json()


def test_a_miss_keeps_to_its_statements_commits_and_round_trips(
    counted: type[Counted], client: Client, shop: Workspace
) -> None:
    describe(client, "Linen Apron")  # the process knows the key and the models by now

    counted.trips = 0
    with CaptureQueriesContext(connection) as queries:
        reply = describe(client, "Oak Board")

    said = [query["sql"] for query in queries]
    assert reply["source"] == "model"
    assert UsageEntry.objects.in_workspace(shop).count() == 2
    assert (said.count("COMMIT"), len(said)) == (3, 25), "\n".join(said)
    assert counted.trips <= 9  # one of them once a second
