"""Read how many messages wait in the broker's queues, and whether it answers."""

from typing import Any

from celery import current_app
from kombu import Connection
from kombu.exceptions import ChannelError, KombuError

# {name of a queue: messages that no worker has taken}
Queues = dict[str, int]


class BrokerDown(Exception):
    """The broker does not answer. The text is the class of the error, since its message could contain the address."""


def read_queues() -> Queues:
    """Return the length of each queue that workers read. Raises BrokerDown within seconds: the settings limit the time
    of a connection (CELERY_BROKER_TRANSPORT_OPTIONS)."""
    with current_app.connection_for_read() as connection:
        errors: tuple[type[BaseException], ...] = (KombuError, OSError, *connection.connection_errors)
        errors += connection.channel_errors
        try:
            return {queue: _length(connection, queue) for queue in current_app.amqp.queues}
        except errors as error:
            raise BrokerDown(type(error).__name__) from error


def _length(connection: Connection, queue: str) -> int:
    channel: Any = connection.default_channel
    try:
        return int(channel.queue_declare(queue, passive=True).message_count)
    except ChannelError:  # Redis has no key for an empty queue
        return 0
