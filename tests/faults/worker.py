"""Do a worker's work without the second that a worker needs to start. Messages come from the real broker, and are
acknowledged after their work is done. If the process dies with a message, the message is lost."""

from typing import Any

from django.conf import settings
from kombu import Connection
from kombu.message import Message

from archive import tasks
from portal.celery import app


def work() -> None:
    """Run the dispatcher once, and then all published tasks, until the queues are empty."""
    tasks.dispatch()
    with app.connection_for_read() as broker:
        while message := _next(broker):
            arguments, *_ = message.payload
            _task(message)(*arguments)
            message.ack()


def published() -> list[tuple[str, str]]:
    """Empty the queues, and return (task, id of its row or "") of every message in them, sorted."""
    messages: list[tuple[str, str]] = []
    with app.connection_for_read() as broker:
        while message := _next(broker):
            arguments, *_ = message.payload
            task = str(message.headers["task"]).removeprefix("archive.tasks.")
            messages.append((task, arguments[0] if arguments else ""))
            message.ack()
    return sorted(messages)


def _next(broker: Connection) -> Message | None:
    for queue in settings.CELERY_TASK_QUEUES:
        if message := queue(broker.default_channel).get(accept=["json"]):
            return message
    return None


def _task(message: Message) -> Any:
    return app.tasks[message.headers["task"]]
