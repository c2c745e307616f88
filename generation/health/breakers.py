"""A circuit breaker for each model.

closed -> open       enough of the latest answers were failures of the provider's: it is not asked for a while
open -> half-open    after that while, which doubles with every probe that fails, one request finds out how it does
half-open -> closed  that one was answered

A key that is refused, or a model that is not there, opens the circuit at once. Too many requests (429) do not: then
the model is only left alone for as long as the provider asks for.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol, TypeVar

import structlog
from django.conf import settings
from django.core.cache import cache
from django_redis import get_redis_connection
from redis.exceptions import RedisError

from generation.health.alarms import clear_alarm, is_alarming, raise_alarm
from generation.llm.errors import LlmError
from generation.llm.types import ModelSpec

log = structlog.get_logger()

Outcome = Literal["ok", "failed", "limited", "misconfigured"]
Change = Literal["opened", "closed", ""]

FAILURES_TO_OPEN, RECENT, WINDOW_SECONDS = 5, 20, 60.0
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 5.0, 60.0
# To leave alone a model that had too many requests and did not say for how long.
LIMITED_SECONDS = 1.0
KNOWN_SECONDS = 1.0  # how long a process goes by what it read of the others

LUA = Path(__file__).resolve().parent.parent / "lua"
_REPORT, _ADMIT = (LUA / "report.lua").read_text(), (LUA / "admit.lua").read_text()

_FAILED = frozenset({"overloaded", "timeout", "connection", "server"})
_MISCONFIGURED = frozenset({"auth", "not_found"})

T = TypeVar("T", bound=ModelSpec)


def model_key(spec: ModelSpec) -> str:
    return f"{spec.provider}/{spec.model_id}"


def outcome_of(error: LlmError) -> Outcome:
    """What a failure says of the model's health. A reply that is no usable text is a reply all the same."""
    if error.kind in _FAILED or (error.kind == "malformed" and error.usage is None):
        return "failed"
    if error.kind in _MISCONFIGURED:
        return "misconfigured"
    return "limited" if error.kind == "rate_limited" else "ok"


class Circuits(Protocol):
    def report(self, model: str, outcome: Outcome, rest: float) -> Change: ...

    def admit(self, model: str) -> float: ...

    def down(self) -> dict[str, float]: ...


class SharedCircuits:
    """In Valkey, by its clock. Raises RedisError."""

    def report(self, model: str, outcome: Outcome, rest: float) -> Change:
        redis = get_redis_connection("default")
        keys = [_key(f"circuit:{model}"), _key(f"recent:{model}"), _key("down")]
        waits = [round(1000 * s) for s in (WINDOW_SECONDS, FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS)]
        arguments = [model, outcome, math.ceil(1000 * rest), FAILURES_TO_OPEN, RECENT, *waits]
        change: Change = redis.register_script(_REPORT)(keys=keys, args=arguments).decode()
        return change

    def admit(self, model: str) -> float:
        script = get_redis_connection("default").register_script(_ADMIT)
        keys = [_key(f"circuit:{model}"), _key("down")]
        return int(script(keys=keys, args=[model, round(1000 * _probe_seconds())])) / 1000

    def down(self) -> dict[str, float]:
        with get_redis_connection("default").pipeline(transaction=False) as both:
            both.time()
            both.hgetall(_key("down"))
            (seconds, microseconds), ends = both.execute()
        now = seconds + microseconds / 1e6
        return {model.decode(): int(end) / 1000 - now for model, end in ends.items()}


def _key(name: str) -> str:
    """The tag keeps them on one shard of a cluster."""
    key: str = cache.make_key(f"{{health}}:{name}")
    return key


def _probe_seconds() -> float:
    return float(settings.MODEL_DEADLINE_SECONDS) + 5


@dataclass(slots=True)
class _Circuit:
    failures: int = 0  # one after the other
    wait: float = 0.0
    until: float = 0.0
    probe_until: float = 0.0

    def open(self, seconds: float, now: float) -> Change:
        self.failures, self.wait, self.until, self.probe_until = 0, seconds, now + seconds, 0.0
        return "opened"


@dataclass(slots=True)
class LocalCircuits:
    """The same in a process's memory, by the failures that it sees itself."""

    _circuits: dict[str, _Circuit] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def report(self, model: str, outcome: Outcome, rest: float) -> Change:
        with self._lock:
            return self._report(model, outcome, rest, time.monotonic())

    def _report(self, model: str, outcome: Outcome, rest: float, now: float) -> Change:
        if outcome == "ok":
            known = self._circuits.pop(model, None)
            return "closed" if known and known.wait else ""
        circuit = self._circuits.setdefault(model, _Circuit())
        if outcome == "misconfigured":
            return circuit.open(LONGEST_WAIT_SECONDS, now)
        if outcome == "limited":
            circuit.probe_until, circuit.until = 0.0, max(circuit.until, now + rest)
            return ""
        if circuit.wait:
            return circuit.open(min(2 * circuit.wait, LONGEST_WAIT_SECONDS), now) if now >= circuit.until else ""
        circuit.failures += 1
        return circuit.open(FIRST_WAIT_SECONDS, now) if circuit.failures >= FAILURES_TO_OPEN else ""

    def admit(self, model: str) -> float:
        with self._lock:
            circuit, now = self._circuits.get(model), time.monotonic()
            if circuit is None or (not circuit.wait and now >= circuit.until):
                return 0.0
            if now < max(circuit.until, circuit.probe_until):
                return max(circuit.until - now, min(circuit.probe_until - now, 1.0))
            circuit.probe_until = now + _probe_seconds()
            return 0.0

    def forget(self) -> None:
        self._circuits.clear()

    def down(self) -> dict[str, float]:
        now = time.monotonic()
        with self._lock:
            return {model: each.until - now for model, each in self._circuits.items() if each.until}


_shared, local_circuits = SharedCircuits(), LocalCircuits()


@dataclass(slots=True)
class _Known:
    """Which models were not well when last looked, and for how long from then; none of the others need be asked of."""

    waits: dict[str, float] = field(default_factory=dict)
    at: float = -math.inf

    def refreshed(self) -> dict[str, float]:
        now = time.monotonic()
        if now - self.at > KNOWN_SECONDS:
            self.waits, self.at = _down(), now
        passed = now - self.at
        return {model: wait - passed for model, wait in self.waits.items()}

    def forget(self) -> None:
        self.at = -math.inf


known = _Known()


def _down() -> dict[str, float]:
    try:
        return _shared.down()
    except RedisError:
        return local_circuits.down()


def down_models() -> frozenset[str]:
    """Keys (`provider/model id`) of the models that are not to be asked at the moment."""
    return frozenset(model for model, wait in known.refreshed().items() if wait > 0)


def wait_of(model: str) -> float:
    """Seconds until a model is asked again; 0 when it is up."""
    return max(known.refreshed().get(model, 0.0), 0.0)


def up_first(specs: Sequence[T]) -> tuple[T, ...]:
    """Without those that are down; all of them if all are: one of the requests finds out how they do."""
    down = down_models()
    return tuple(spec for spec in specs if model_key(spec) not in down) or tuple(specs)


def admit(spec: ModelSpec) -> None:
    """Raises LlmError, which costs nothing, when the model is not to be asked now."""
    model = model_key(spec)
    if model not in known.refreshed():
        return
    try:
        wait = _shared.admit(model)
    except RedisError:
        wait = local_circuits.admit(model)
    if wait:
        raise LlmError("circuit_open", "The model did not answer lately.", retryable=True, retry_after=wait)


def report(spec: ModelSpec, error: LlmError | None = None) -> None:
    """Tell what came of a call: an error of it, or an answer."""
    outcome = outcome_of(error) if error else "ok"
    rest = (error.retry_after if error else None) or LIMITED_SECONDS
    model = model_key(spec)
    try:
        change = _shared.report(model, outcome, rest)
    except RedisError:
        change = local_circuits.report(model, outcome, rest)
    if outcome != "ok" or change:
        known.forget()
    if error and is_alarming(error):
        raise_alarm(spec, error)
    if change == "closed":
        clear_alarm(spec)
    if change:
        log.warning("circuit_changed", model=model, change=change, kind=error.kind if error else "")
