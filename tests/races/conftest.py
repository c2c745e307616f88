from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.races.committed import db
from tests.races.processes import Worker, workers
from tests.races.product import Product, run_product
from tests.servers import Provider, run_provider

__all__ = ["db"]

StartWorker = Callable[..., Worker]


@pytest.fixture(scope="session")
def provider_process() -> Iterator[Provider]:
    with run_provider() as provider:
        yield provider


@pytest.fixture
def provider(provider_process: Provider) -> Provider:
    provider_process.reset()
    return provider_process


@pytest.fixture
def start_worker() -> Iterator[StartWorker]:
    with workers() as start:
        yield start


@pytest.fixture(scope="session")
def running_product(provider_process: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with run_product(tmp_path_factory.mktemp("product"), provider_process) as product:
        yield product


@pytest.fixture
def product(running_product: Product, provider: Provider) -> Product:
    """The whole product under its supervisor, started once, with a provider that has forgotten everything."""
    return running_product
