"""Sliding windows: how many requests a subject made in the last minute, hour and day, counted before each one.

The minute is an exact log of times. Hour and day are buckets, and a bucket that is only partly inside counts whole, so
no window of that length ever holds more than the limit, wherever it begins. In Redis all of it is one script: one
round trip, Redis' own clock, and all subjects of a request or none. `LocalWindows` is the same in a process's memory.
"""

from __future__ import annotations

import itertools
import json
import math
import threading
from collections import Counter, OrderedDict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from redis import Redis

# Defines `take(asked, keys)`, for scripts that count a request and do more in the same step.
TAKE = (Path(__file__).parent / "lua" / "take.lua").read_text()
SCRIPT = TAKE + "return take(cjson.decode(ARGV[1]), KEYS)"
MICROSECONDS = 1_000_000

LimitName = Literal["burst", "reads", "day"]


@dataclass(frozen=True, slots=True)
class Buckets:
    seconds: float
    count: int


@dataclass(frozen=True, slots=True)
class Windows:
    log_seconds: float = 60
    hour: Buckets = Buckets(60, 60)
    day: Buckets = Buckets(900, 96)

    def seconds(self, name: LimitName) -> int:
        return round(self.day.seconds * self.day.count if name == "day" else self.log_seconds)


WINDOWS = Windows()


@dataclass(frozen=True, slots=True)
class Subject:
    """Who is limited, and to what. A limit of None is none."""

    scope: str  # key, member, workspace, visitor
    id: str
    label: str  # for messages: "the Pro plan"
    burst: int | None = None
    daily: int | None = None
    # (requests in the last hour, per cent of the burst that is left from there on), ascending
    steps: tuple[tuple[int, int], ...] = ()
    is_counted: bool = True  # or only looked at
    burst_name: LimitName = "burst"
    plans_above: int | None = None  # the position from which on a plan may have more; None: no plan would help

    @property
    def name(self) -> str:
        return f"{self.scope}:{self.id}:{self.burst_name}"

    @property
    def is_limited(self) -> bool:
        return self.burst is not None or self.daily is not None

    def share(self, processes: int) -> Subject:
        """What one of so many processes may admit."""
        return replace(
            self,
            burst=None if self.burst is None else math.ceil(self.burst / processes),
            daily=None if self.daily is None else math.ceil(self.daily / processes),
            steps=tuple((math.ceil(requests / processes), percent) for requests, percent in self.steps),
        )


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit as it stands after a request was counted or refused."""

    name: LimitName
    subject: Subject
    limit: int  # in force now: tightened, or a process's share
    used: int
    wait: float  # seconds until one more is free, 0 when all are
    window: int  # seconds
    used_in_hour: int = 0

    @property
    def left(self) -> int:
        return max(self.limit - self.used, 0)


@dataclass(frozen=True, slots=True)
class Taken:
    is_admitted: bool
    at: float  # seconds, by the clock that counted
    limits: tuple[Limit, ...]


def take_in_redis(redis: Redis, prefix: str, subjects: Sequence[Subject], windows: Windows = WINDOWS) -> Taken:
    """Raises RedisError. The prefix keeps all keys of a request on one shard of a cluster."""
    keys, question = window_keys(prefix, subjects), window_question(subjects, windows)
    return read_taken(redis.register_script(SCRIPT)(keys=keys, args=[question]), subjects, windows)


def window_keys(prefix: str, subjects: Iterable[Subject]) -> list[str]:
    return [f"{prefix}{subject.name}:{part}" for subject in subjects for part in ("log", "hour", "day")]


def window_question(subjects: Iterable[Subject], windows: Windows = WINDOWS) -> str:
    """What lua/take.lua is asked, as JSON."""

    def size(buckets: Buckets) -> dict[str, Any]:
        return {"width": round(buckets.seconds * MICROSECONDS), "count": buckets.count}

    rows = [{"burst": s.burst, "daily": s.daily, "steps": s.steps, "counted": s.is_counted} for s in subjects]
    return json.dumps(
        {
            "log": round(windows.log_seconds * MICROSECONDS),
            "hour": size(windows.hour),
            "day": size(windows.day),
            # Lua takes a null for a value.
            "subjects": [{name: value for name, value in row.items() if value is not None} for row in rows],
        }
    )


def read_taken(reply: Sequence[int], subjects: Sequence[Subject], windows: Windows = WINDOWS) -> Taken:
    admitted, now, *counted = reply
    limits: list[Limit] = []
    for at, subject in enumerate(subjects):
        burst, used, wait, used_today, wait_of_day, used_in_hour = counted[6 * at : 6 * at + 6]
        standing = _Standing(burst, used, wait / MICROSECONDS, used_today, wait_of_day / MICROSECONDS, used_in_hour)
        limits += standing.limits(subject, windows)
    return Taken(bool(admitted), now / MICROSECONDS, tuple(limits))


@dataclass(frozen=True, slots=True)
class _Standing:
    """Of one subject, after a request."""

    burst: int
    used: int
    wait: float
    used_today: int
    wait_of_day: float
    used_in_hour: int

    def limits(self, subject: Subject, windows: Windows) -> list[Limit]:
        found = []
        if subject.burst is not None:
            name = subject.burst_name
            window = windows.seconds(name)
            found.append(Limit(name, subject, self.burst, self.used, self.wait, window, self.used_in_hour))
        if subject.daily is not None:
            window = windows.seconds("day")
            found.append(Limit("day", subject, subject.daily, self.used_today, self.wait_of_day, window))
        return found


class _BucketCounts:
    def __init__(self, size: Buckets) -> None:
        self.size = size
        self.counts: Counter[int] = Counter()

    def forget(self, now: float) -> None:
        oldest = int(now // self.size.seconds) - self.size.count
        for bucket in [bucket for bucket in self.counts if bucket < oldest]:
            del self.counts[bucket]

    def used(self) -> int:
        return self.counts.total()

    def add(self, now: float) -> None:
        self.counts[int(now // self.size.seconds)] += 1

    def wait(self, now: float, limit: int) -> float:
        too_many = max(self.used() - limit, 0) + 1
        for bucket in sorted(self.counts):
            too_many -= self.counts[bucket]
            if too_many <= 0:
                return (bucket + self.size.count + 1) * self.size.seconds - now
        return 0


class _History:
    """What one subject did lately."""

    def __init__(self, windows: Windows) -> None:
        self.window = windows.log_seconds
        self.log: deque[float] = deque()
        self.hour = _BucketCounts(windows.hour)
        self.day = _BucketCounts(windows.day)

    def forget(self, now: float) -> None:
        while self.log and self.log[0] <= now - self.window:
            self.log.popleft()
        self.hour.forget(now)
        self.day.forget(now)

    def burst_in_force(self, subject: Subject) -> int:
        burst = subject.burst or 0
        percents = [percent for requests, percent in subject.steps if self.hour.used() >= requests]
        return min(burst, max(1, burst * percents[-1] // 100)) if percents else burst

    def has_room(self, subject: Subject) -> bool:
        if subject.burst is not None and len(self.log) >= self.burst_in_force(subject):
            return False
        return subject.daily is None or self.day.used() < subject.daily

    def add(self, subject: Subject, now: float) -> None:
        if subject.burst is not None:
            self.log.append(now)
        if subject.steps:
            self.hour.add(now)
        if subject.daily is not None:
            self.day.add(now)

    def standing(self, subject: Subject, now: float) -> _Standing:
        burst, used = self.burst_in_force(subject), len(self.log)
        next_free = max(used - burst, 0)
        wait = self.log[next_free] + self.window - now if next_free < used else 0
        wait_of_day = self.day.wait(now, subject.daily or 0)
        return _Standing(burst, used, wait, self.day.used(), wait_of_day, self.hour.used())


class LocalWindows:
    """For as long as Redis is away. The subjects that were quiet for longest are forgotten first."""

    def __init__(self, most_subjects: int = 5_000) -> None:
        self.most_subjects = most_subjects
        self._histories: OrderedDict[str, _History] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, subjects: Sequence[Subject], now: float, windows: Windows = WINDOWS) -> Taken:
        with self._lock:
            known = [(subject, self._history(subject, now, windows)) for subject in subjects]
            counted = [(subject, history) for subject, history in known if subject.is_counted]
            is_admitted = all(history.has_room(subject) for subject, history in counted)
            if is_admitted:
                for subject, history in counted:
                    history.add(subject, now)
            standings = [history.standing(subject, now).limits(subject, windows) for subject, history in known]
            return Taken(is_admitted, now, tuple(itertools.chain.from_iterable(standings)))

    def _history(self, subject: Subject, now: float, windows: Windows) -> _History:
        history = self._histories.setdefault(subject.name, _History(windows))
        self._histories.move_to_end(subject.name)
        if len(self._histories) > self.most_subjects:
            self._histories.popitem(last=False)
        history.forget(now)
        return history
