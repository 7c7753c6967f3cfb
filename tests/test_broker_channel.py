"""A worker whose broker went away lets go of its connection in peace, whatever it has in hand."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kombu import Queue

from embedded.engines import Engines
from embedded.valkey import Valkey
from portal.celery import app


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Valkey]:
    valkey = Engines(tmp_path / "engines", fast=True).valkey
    valkey.launch()
    valkey.wait_until_ready()
    yield valkey
    valkey.stop(hurry=lambda: True)


def test_what_is_in_hand_is_not_put_back_into_a_broker_that_is_gone(broker: Valkey) -> None:
    """kombu would, by that very connection: an exception in the middle of a worker's own tidying up, which ended it."""
    with app.connection_for_read(broker.url) as connection:
        channel: Any = connection.channel()
        queue = Queue("work")(channel)
        queue.declare()
        connection.Producer(channel).publish(["an id"], routing_key="work")
        assert queue.get()  # and is not acknowledged
        broker.stop(hurry=lambda: True)

        channel.close()

        assert channel.closed
