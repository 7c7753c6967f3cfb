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
    """A message that was received, and not acknowledged."""
    channel = connection.default_channel
    queue = Queue("work")(channel)
    queue.declare()
    connection.Producer(channel).publish(["an id"], routing_key="work")
    return queue.get()


def test_no_ack_on_the_old_connection_after_a_broker_restart(broker: Valkey) -> None:
    """A worker that has a new connection can't acknowledge a message of the old one, and continues."""
    with app.connection_for_read(broker.url) as connection:
        message = in_hand(connection)
        broker.stop(hurry=lambda: True)
        connection.collect()  # as a worker does, before it tries to connect again

        message.ack_log_error(logger, connection.connection_errors)
        message.reject_log_error(logger, connection.connection_errors)


def test_no_requeue_on_the_connection_of_a_stopped_broker(broker: Valkey) -> None:
    """kombu would, by that very connection: an exception in the middle of a worker's own tidying up, which ended it."""
    with app.connection_for_read(broker.url) as connection:
        channel = in_hand(connection).channel
        broker.stop(hurry=lambda: True)

        channel.close()

        assert channel.closed
