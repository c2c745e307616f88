"""Limits, asked by several processes at the same moment; and the product while Redis hangs, dies, or forgets."""

from __future__ import annotations

import uuid

import pytest

from accounts.windows import Buckets, Subject, Windows
from tests.races.conftest import StartWorker
from tests.races.processes import take_at_once, take_for_a_while

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("product")]

PROCESSES = 4
WINDOW_SECONDS = 0.3
SMALL = Windows(log_seconds=WINDOW_SECONDS, hour=Buckets(60, 60), day=Buckets(0.05, 6))


def subject(**limits: int) -> Subject:
    return Subject("workspace", str(uuid.uuid4()), "the plan", **limits)  # type: ignore[arg-type]


@pytest.mark.parametrize("limits", [{"burst": 70}, {"daily": 70}, {"burst": 150, "daily": 70}])
def test_two_hundred_at_once_are_admitted_up_to_exactly_the_limit(
    start_worker: StartWorker, limits: dict[str, int]
) -> None:
    asked = [subject(**limits), subject(burst=1_000)]

    workers = [start_worker(take_at_once, asked, 200 // PROCESSES) for _ in range(PROCESSES)]

    answers = [answer for worker in workers for answer in worker.result()]
    assert len(answers) == 200
    assert answers.count(True) == 70


@pytest.mark.parametrize("limits", [{"burst": 20}, {"daily": 20}])
def test_no_window_holds_more_than_the_limit_wherever_it_begins(
    start_worker: StartWorker, limits: dict[str, int]
) -> None:
    asked = subject(**limits)

    workers = [start_worker(take_for_a_while, asked, SMALL, 2.0) for _ in range(PROCESSES)]

    times = sorted(at for worker in workers for at in worker.result())
    assert len(times) >= 4 * 20  # several windows were filled
    # By Redis' own clock: the one twenty places later is at least a window away.
    assert min(later - at for at, later in zip(times, times[20:], strict=False)) >= WINDOW_SECONDS - 1e-5
