"""What a worker does, without the second that it takes to start one: messages come from the real broker, and are given
back to it (acknowledged) after their work is done. What died with a message in its hand has lost it."""

from typing import Any

from django.conf import settings
from kombu import Connection
from kombu.message import Message

from archive import tasks
from portal.celery import app


def work() -> None:
    """One round of the dispatcher, and then whatever is published, until nothing is left in the queues."""
    tasks.dispatch()
    with app.connection_for_read() as broker:
        while message := _next(broker):
            arguments, *_ = message.payload
            _task(message)(*arguments)
            message.ack()


def published() -> list[tuple[str, str]]:
    """(task, id of its row, "" without one) of every message in the queues, which are empty afterwards."""
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
