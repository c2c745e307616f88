"""The script in Redis, and the same in memory, driven with small windows and judged by the clock that counted."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from django_redis import get_redis_connection

from accounts.windows import Buckets, Limit, LocalWindows, Subject, Taken, Windows, take_in_redis

SMALL = Windows(log_seconds=0.2, hour=Buckets(0.05, 4), day=Buckets(0.05, 4))

Take = Callable[..., Taken]


def in_redis(*subjects: Subject, windows: Windows = SMALL) -> Taken:
    return take_in_redis(get_redis_connection("default"), "test:{limits}:", subjects, windows)


@pytest.fixture(params=["redis", "memory"])
def take(request: pytest.FixtureRequest) -> Take:
    if request.param == "redis":
        return in_redis
    local = LocalWindows()
    return lambda *subjects, windows=SMALL: local.take(subjects, time.time(), windows)


def someone(*, scope: str = "workspace", **limits: int | None) -> Subject:
    """Somebody who has used nothing yet."""
    return Subject(scope, str(uuid.uuid4()), "the Small plan", **limits)  # type: ignore[arg-type]


def admissions(take: Take, subject: Subject, seconds: float) -> list[float]:
    """When requests were let in, asking as fast as it goes."""
    admitted, until = [], time.monotonic() + seconds
    while time.monotonic() < until:
        taken = take(subject)
        if taken.is_admitted:
            admitted.append(taken.at)
    return admitted


def most_in_a_window(times: Sequence[float], seconds: float) -> int:
    return max(sum(begin <= at < begin + seconds for at in times) for begin in times)


def limit(taken: Taken, name: str) -> Limit:
    (found,) = [limit for limit in taken.limits if limit.name == name]
    return found


def test_no_window_of_a_minute_holds_more_than_the_burst(take: Take) -> None:
    times = admissions(take, someone(burst=7), seconds=0.9)
    assert most_in_a_window(times, SMALL.log_seconds) == 7
    assert len(times) >= 4 * 7  # and none of the allowance is withheld


def test_no_window_of_a_day_holds_more_than_the_daily_limit(take: Take) -> None:
    times = admissions(take, someone(daily=7), seconds=0.9)
    assert most_in_a_window(times, SMALL.day.seconds * SMALL.day.count) == 7
    assert len(times) >= 3 * 7  # a bucket may be withheld for as long as it lasts


def test_what_is_told_to_wait_is_enough_and_not_too_much(take: Take) -> None:
    for name, subject in (("burst", someone(burst=2)), ("day", someone(daily=2))):
        taken = [take(subject) for _ in range(3)]
        assert [each.is_admitted for each in taken] == [True, True, False]
        refused = limit(taken[-1], name)
        assert not take(subject).is_admitted
        time.sleep(refused.wait + 0.002)
        assert take(subject).is_admitted, name


def test_a_refusal_counts_for_nobody(take: Take) -> None:
    wide, narrow = someone(burst=9, daily=9), someone(scope="key", burst=1)
    counted = [take(wide, narrow, windows=Windows()) for _ in range(4)]
    assert [each.is_admitted for each in counted] == [True, False, False, False]
    assert [limit.left for limit in counted[-1].limits] == [8, 8, 0]
    assert take(wide, windows=Windows()).limits[0].left == 7


@pytest.mark.parametrize("scope", ["workspace", "key", "member", "visitor"])
def test_every_kind_of_subject_can_refuse(take: Take, scope: str) -> None:
    others = [someone(scope=other, burst=9) for other in ("workspace", "key", "member", "visitor") if other != scope]
    full = someone(scope=scope, burst=0)
    assert not take(*others, full).is_admitted


def test_what_is_only_looked_at_is_not_counted(take: Take) -> None:
    subject = someone(burst=3, daily=3)
    take(subject, windows=Windows())
    looks = [take(replace(subject, is_counted=False), windows=Windows()) for _ in range(5)]
    assert {tuple(limit.left for limit in look.limits) for look in looks} == {(2, 2)}
    assert all(look.is_admitted for look in looks)


def test_heavy_use_narrows_the_burst_step_by_step(take: Take) -> None:
    wide = Windows(log_seconds=0.01, hour=Buckets(60, 60), day=Buckets(900, 96))
    subject = replace(someone(burst=10), steps=((3, 50), (5, 1)))
    in_force = []
    for _ in range(6):
        time.sleep(0.011)
        in_force.append(take(subject, windows=wide).limits[0].limit)
    # What the next request meets: half from the third request on, at least one from the fifth.
    assert in_force == [10, 10, 5, 5, 1, 1]


def test_an_hour_later_the_burst_is_whole_again(take: Take) -> None:
    subject = replace(someone(burst=4), steps=((2, 25),))
    assert [take(subject).is_admitted for _ in range(3)] == [True, True, False]
    time.sleep(SMALL.hour.seconds * (SMALL.hour.count + 1))
    assert [take(subject).is_admitted for _ in range(3)] == [True, True, False]


def test_a_limit_lowered_below_what_was_used_says_when_there_is_room(take: Take) -> None:
    subject = someone(burst=5)
    for _ in range(5):
        take(subject)
        time.sleep(0.01)
    lowered = replace(subject, burst=2)

    refused = take(lowered)

    time.sleep(limit(refused, "burst").wait + 0.002)
    assert take(lowered).is_admitted


def test_without_any_use_all_is_left_and_nothing_to_wait_for(take: Take) -> None:
    looked = take(replace(someone(burst=4, daily=6), is_counted=False))
    assert [(limit.left, limit.wait) for limit in looked.limits] == [(4, 0), (6, 0)]


def test_what_a_clock_ahead_of_time_left_behind_is_dropped() -> None:
    """Redis' clock jumped back: nobody is locked out until it has caught up."""
    subject = someone(burst=2, daily=2)
    redis, prefix = get_redis_connection("default"), f"test:{{limits}}:{subject.name}:"
    ahead = int((time.time() + 7200) * 1_000_000)
    redis.rpush(f"{prefix}log", ahead, ahead)
    redis.hset(f"{prefix}day", ahead // 50_000, 2)

    assert [in_redis(subject).is_admitted for _ in range(3)] == [True, True, False]


def test_what_is_kept_in_redis_ends_by_itself_and_stays_small() -> None:
    subject = replace(someone(burst=5, daily=90), steps=((50, 50),))
    for _ in range(60):
        in_redis(subject, windows=Windows())
    redis = get_redis_connection("default")
    keys = [f"test:{{limits}}:{subject.name}:{part}" for part in ("log", "hour", "day")]

    assert redis.llen(keys[0]) == 5
    assert [0 < redis.ttl(key) <= seconds for key, seconds in zip(keys, (60, 3660, 87300), strict=True)] == [True] * 3


def test_a_script_that_redis_has_forgotten_is_sent_again() -> None:
    subject = someone(burst=2)
    in_redis(subject)
    get_redis_connection("default").script_flush()
    assert [in_redis(subject).is_admitted for _ in range(2)] == [True, False]


def test_memory_forgets_who_was_quiet_for_longest() -> None:
    local = LocalWindows(most_subjects=2)
    first, second, third = (someone(burst=1) for _ in range(3))
    for subject in (first, second, first, third):
        local.take([subject], time.time())

    assert [local.take([subject], time.time()).is_admitted for subject in (first, second)] == [False, True]


@pytest.mark.parametrize(("limit_of_all", "share"), [(30, 15), (5, 3), (1, 1), (0, 0), (None, None)])
def test_a_process_alone_admits_its_share_rounded_up(limit_of_all: int | None, share: int | None) -> None:
    subject = replace(someone(burst=limit_of_all, daily=limit_of_all), steps=((5, 50),)).share(2)
    assert (subject.burst, subject.daily, subject.steps) == (share, share, ((3, 50),))
