"""The transport between Celery and its broker: kombu's for Redis, with two fixes for unacknowledged messages, and
without messages that would end a worker (messages.py).

After a broker restart, kombu acknowledges or requeues messages on the closed connection, which crashes the worker
(https://github.com/celery/kombu/issues/582). Neither is needed: the work is a row, and the dispatcher publishes it
again.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from django.conf import settings
from kombu.transport import TRANSPORT_ALIASES, redis, virtual
from redis import Redis

from portal import messages

logger = structlog.get_logger()


class Client(Redis):
    """The broker's client of a process that takes messages."""

    def parse_response(self, connection: Any, command_name: Any, **options: Any) -> Any:
        """The reply of `BRPOP` is the name of a queue and its next message, or None: also if the message is dropped."""
        reply = super().parse_response(connection, command_name, **options)  # type: ignore[no-untyped-call]
        if command_name != "BRPOP" or reply is None:
            return reply
        queue = reply[0].decode().partition(Channel.sep)[0]  # the priority follows
        if queue not in {queue.name for queue in settings.CELERY_TASK_QUEUES}:
            return reply
        try:
            messages.check(reply[1])
        except messages.MalformedMessage as error:
            logger.error("message_dropped", queue=queue, bytes=len(reply[1]), malformed=str(error))
            return None
        return reply


class QoS(redis.QoS):
    """The messages that were received and not acknowledged yet."""

    restore_at_shutdown = False

    def ack(self, delivery_tag: str) -> None:
        with self._ended(delivery_tag):
            super().ack(delivery_tag)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        with self._ended(delivery_tag):
            super().reject(delivery_tag, requeue)

    @contextmanager
    def _ended(self, delivery_tag: str) -> Iterator[None]:
        """Count the message as ended, also if the broker can't be told. While as many are unacknowledged as may be
        prefetched, kombu does not poll. So after failed acknowledgements a worker would take no message ever again,
        and not even notice that its connection is lost."""
        if self.channel.connection is None:
            # Celery expects this error here, logs it, and continues.
            raise ConnectionResetError("The broker that sent this message is gone.")
        try:
            yield
        except Exception:
            virtual.QoS.ack(self, delivery_tag)
            raise


class Channel(redis.Channel):
    QoS = QoS

    def _get_client(self) -> type[Client]:
        return Client


class Transport(redis.Transport):
    Channel = Channel


class SentinelChannel(redis.SentinelChannel):
    QoS = QoS

    def _get_client(self) -> type[Client]:
        return Client


class SentinelTransport(redis.SentinelTransport):
    Channel = SentinelChannel


def register() -> None:
    """Register these transports in kombu for the schemes that BROKER_URL may have. The setting `broker_transport` is
    not enough: after a failover to another URL of a list, kombu selects the transport by that URL's scheme."""
    TRANSPORT_ALIASES.update(
        {
            "redis": "portal.broker:Transport",
            "rediss": "portal.broker:Transport",
            "sentinel": "portal.broker:SentinelTransport",
        }
    )
