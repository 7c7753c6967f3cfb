"""The transport between Celery and its broker: kombu's for Redis, with a fix for unacknowledged messages.

After a broker restart, kombu acknowledges or requeues messages on the closed connection, which crashes the worker
(https://github.com/celery/kombu/issues/582). Neither is needed: the work is a row, and the dispatcher publishes it
again.
"""

from kombu.transport import TRANSPORT_ALIASES, redis


class QoS(redis.QoS):
    """The messages that were received and not acknowledged yet."""

    restore_at_shutdown = False

    def ack(self, delivery_tag: str) -> None:
        self._require_connection()
        super().ack(delivery_tag)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        self._require_connection()
        super().reject(delivery_tag, requeue)

    def _require_connection(self) -> None:
        if self.channel.connection is None:
            # Celery expects this error here: it logs it, and goes on.
            raise ConnectionResetError("The broker that sent this message is gone.")


class Channel(redis.Channel):
    QoS = QoS


class Transport(redis.Transport):
    Channel = Channel


class SentinelChannel(redis.SentinelChannel):
    QoS = QoS


class SentinelTransport(redis.SentinelTransport):
    Channel = SentinelChannel


def register() -> None:
    """Have kombu use these transports for the URLs that BROKER_URL may have. The setting `broker_transport` would not
    do: after a failover to another URL of a list, kombu selects the transport by that URL's scheme."""
    TRANSPORT_ALIASES.update(
        {
            "redis": "portal.broker:Transport",
            "rediss": "portal.broker:Transport",
            "sentinel": "portal.broker:SentinelTransport",
        }
    )
