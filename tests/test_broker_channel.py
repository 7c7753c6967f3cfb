"""A worker closes its connection to a stopped broker cleanly, with or without unacknowledged messages."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kombu import Connection, Queue

from embedded.engines import Engines
from embedded.valkey import Valkey
from portal.celery import app

logger = logging.getLogger(__name__)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Valkey]:
    valkey = Engines(tmp_path / "engines", fast=True).valkey
    valkey.launch()
    valkey.wait_until_ready()
    yield valkey
    valkey.stop(hurry=lambda: True)


def in_hand(connection: Connection) -> Any:
    """A message that was received but not acknowledged."""
    channel = connection.default_channel
    queue = Queue("work")(channel)
    queue.declare()
    connection.Producer(channel).publish(["an id"], routing_key="work")
    return queue.get()


def test_no_ack_on_the_old_connection_after_a_broker_restart(broker: Valkey) -> None:
    """After it reconnects, a worker cannot acknowledge a message of the old connection. It must not fail over it."""
    with app.connection_for_read(broker.url) as connection:
        message = in_hand(connection)
        broker.stop(hurry=lambda: True)
        connection.collect()  # as a worker does before it reconnects

        message.ack_log_error(logger, connection.connection_errors)
        message.reject_log_error(logger, connection.connection_errors)


def test_no_requeue_on_the_connection_of_a_stopped_broker(broker: Valkey) -> None:
    """kombu would requeue on that same connection: the exception in the middle of the worker's own clean-up ended the
    worker."""
    with app.connection_for_read(broker.url) as connection:
        channel = in_hand(connection).channel
        broker.stop(hurry=lambda: True)

        channel.close()

        assert channel.closed
