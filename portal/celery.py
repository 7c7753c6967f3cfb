"""The Celery application: `celery -A portal.celery worker`, `celery -A portal.celery beat`."""

import os
from typing import Any

from celery import Celery
from celery.signals import beat_init, setup_logging, worker_init
from kombu.transport.redis import QoS

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

# When the broker goes while work is in hand, kombu puts messages back by a connection that it has closed already, and
# the worker ends of an AttributeError (kombu#582). Nothing has to be put back: the work is a row, and the dispatcher
# publishes it again.
QoS.restore_at_shutdown = False

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
