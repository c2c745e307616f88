from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django_redis import get_redis_connection
from redis import ConnectionPool
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError, ResponseError, TimeoutError

from contentopt.fuse import Fuse, FusedRedis, NotAsked, redis_fuse

TIMEOUT = 0.1


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_while_all_is_well_everybody_is_let_through() -> None:
    fuse = Fuse(60)
    assert all(fuse.lets_through() for _ in range(10))


def test_after_a_failure_nobody_is_until_the_time_is_over_and_then_one() -> None:
    clock = Clock()
    fuse = Fuse(5, clock)
    fuse.blow()
    clock.now += 4.9
    early = [fuse.lets_through() for _ in range(10)]
    clock.now += 0.2
    with ThreadPoolExecutor(10) as threads:
        late = list(threads.map(lambda _: fuse.lets_through(), range(10)))

    assert early == [False] * 10
    assert sorted(late) == [False] * 9 + [True]


def test_one_success_lets_everybody_through_again_one_failure_nobody() -> None:
    clock = Clock()
    fuse = Fuse(5, clock)
    for outcome, afterwards in ((fuse.blow, False), (fuse.mend, True)):
        fuse.blow()
        clock.now += 5
        assert fuse.lets_through()
        outcome()
        assert [fuse.lets_through() for _ in range(3)] == [afterwards] * 3


def test_a_caller_that_never_says_what_it_found_is_replaced() -> None:
    clock = Clock()
    fuse = Fuse(5, clock)
    fuse.blow()
    clock.now += 5
    assert [fuse.lets_through(), fuse.lets_through()] == [True, False]
    clock.now += 5
    assert fuse.lets_through()


@pytest.fixture
def hung() -> Iterator[FusedRedis]:
    """A server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        yield at_port(port)


def at_port(port: int) -> FusedRedis:
    """As django-redis makes it: over a pool, which does not try twice."""
    return FusedRedis(connection_pool=ConnectionPool(port=port, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT))


def test_a_hung_server_is_waited_for_once_by_all_clients_of_a_process(hung: FusedRedis) -> None:
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        hung.get("key")
    other = FusedRedis(connection_pool=hung.connection_pool)
    calls = 50
    for _ in range(calls):
        with pytest.raises(NotAsked):
            other.get("key")
        pipeline = other.pipeline()
        pipeline.get("key")
        with pytest.raises(NotAsked):
            pipeline.execute()

    assert time.monotonic() - began < calls * TIMEOUT  # twice that, did each wait


def test_a_server_that_is_gone_blows_the_fuse() -> None:
    nobody = at_port(1)
    with pytest.raises(RedisConnectionError) as refused:
        nobody.ping()
    assert not isinstance(refused.value, NotAsked)
    with pytest.raises(NotAsked):
        nobody.ping()


def test_a_refused_command_is_an_answer() -> None:
    redis = get_redis_connection("default")
    redis.set("test:fuse", "text", px=5000)
    with pytest.raises(ResponseError):
        redis.incr("test:fuse")
    assert redis.get("test:fuse") == b"text"


def test_a_server_that_is_back_is_used_again() -> None:
    redis = get_redis_connection("default")
    address = redis.connection_pool.connection_kwargs
    fuse = redis_fuse(str((address["host"], address["port"])))
    fuse.blow()
    with pytest.raises(RedisError):
        redis.ping()
    fuse.mend()
    assert redis.ping()
