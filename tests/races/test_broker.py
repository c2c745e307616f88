"""A broker that hangs while a task ends costs time, not a worker."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
import redis
from celery import current_app
from kombu import Queue

from contentopt import engines

pytestmark = pytest.mark.processes

HANG_MS = 3_000


def test_end_of_a_task_is_told_to_a_broker_that_hung_meanwhile(tmp_path: Path, settings: Any) -> None:
    """An acknowledgement that gave up would leave its message open, and a worker with an open message gets no other."""
    url = engines.embedded_urls(tmp_path, postgres=False, redis=True).redis_url
    try:
        with current_app.connection_for_read(url=url) as connection:
            # As `celery worker` opens it: with the transport options of the settings, and one message at a time.
            channel: Any = connection.default_channel
            channel.basic_qos(prefetch_count=1)
            queue = Queue("hung")(channel)
            queue.declare()
            connection.Producer(channel).publish({"id": 1}, routing_key="hung", declare=[queue])
            message: Any = queue.get(no_ack=False)
            assert not channel.qos.can_consume()
            with redis.Redis.from_url(url) as valkey:
                valkey.execute_command("CLIENT", "PAUSE", HANG_MS, "WRITE")

            message.ack_log_error(logging.getLogger(__name__), connection.connection_errors)

            assert channel.qos.can_consume()
    finally:
        engines.stop(tmp_path)
