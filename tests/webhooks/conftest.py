from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from accounts.models import Workspace
from tests.webhooks.receivers import Receiver, run_receiver
from webhooks.events import EVENT_TYPES
from webhooks.models import Endpoint
from webhooks.services import create_endpoint


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    """A customer's server, on loopback, which only tests may send to."""
    settings.WEBHOOK_ALLOW_LOOPBACK = True
    with run_receiver() as running:
        yield running


@pytest.fixture
def made(shop: Workspace, receiver: Receiver) -> tuple[Endpoint, str]:
    """An endpoint that hears everything, and its secret."""
    return create_endpoint(workspace=shop, url=receiver.url, event_types=list(EVENT_TYPES))


@pytest.fixture
def endpoint(made: tuple[Endpoint, str]) -> Endpoint:
    return made[0]


@pytest.fixture
def secret(made: tuple[Endpoint, str]) -> str:
    return made[1]
