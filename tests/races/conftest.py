from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.races.committed import db
from tests.races.processes import Worker, workers

__all__ = ["db"]

StartWorker = Callable[..., Worker]


@pytest.fixture
def start_worker() -> Iterator[StartWorker]:
    with workers() as start:
        yield start
