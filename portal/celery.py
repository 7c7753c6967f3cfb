"""The Celery application: `celery -A portal.celery worker`, `celery -A portal.celery beat`."""

import os
from typing import Any

from celery import Celery
from celery.signals import beat_init, setup_logging, worker_init
from kombu.transport.redis import Channel, QoS

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")


class ForgivingQoS(QoS):
    """Messages that were received and not confirmed yet. Where the broker went meanwhile, kombu uses a connection that
    it has closed already, to put them back (kombu#582) or to confirm what is done by now; of either, the worker ends.
    Neither is needed: the work is a row, and the dispatcher publishes it again."""

    restore_at_shutdown = False

    def ack(self, delivery_tag: str) -> None:
        self._look()
        super().ack(delivery_tag)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        self._look()
        super().reject(delivery_tag, requeue)

    def _look(self) -> None:
        if self.channel.connection is None:
            # One of those that Celery expects here: it says so in the log, and goes on.
            raise ConnectionResetError("The broker that sent this message is gone.")


Channel.QoS = ForgivingQoS

app = Celery("spacekeep")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["archive"])


@setup_logging.connect
def keep_djangos_logging(**kwargs: Any) -> None:
    """Having a receiver is what keeps Celery from setting up its own."""


@worker_init.connect
@beat_init.connect
def stop_if_wrong(**kwargs: Any) -> None:
    from portal import checks  # noqa: PLC0415  (needs the apps, which Celery sets up first)

    checks.stop_if_wrong()
