"""The web process and the worker of the last test, for the next test that wants the same settings."""

import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, ClassVar

from django.conf import settings
from kombu.exceptions import OperationalError

from embedded.process import Process


@dataclass
class Reused:
    """A process that the next test takes over instead of waiting for another one to start."""

    env: dict[str, str]
    process: Process

    last: ClassVar["Reused | None"] = None

    @classmethod
    def kill(cls) -> None:
        if cls.last is not None:
            cls.last.process.kill()
            cls.last = None


@dataclass
class Web(Reused):
    """The web process. Its state is in the engines, so it needs no reset between tests."""

    last: ClassVar["Web | None"] = None


@dataclass
class Worker(Reused):
    """The worker. Between two tests it consumes nothing and works on nothing."""

    in_use: bool = True

    last: ClassVar["Worker | None"] = None
    NAME: ClassVar[str] = "reused@tests"

    @classmethod
    def pause(cls) -> None:
        """End of a test: it finishes what it has in hand, and takes no message. One that cannot is killed."""
        if cls.last is None:
            return
        cls.last.in_use = False
        if not cls.last.process.running or not (cls._tell("cancel_consumer") and cls._is_idle()):
            cls.kill()
        else:
            cls._end_waiting()

    @classmethod
    def resume(cls) -> bool:
        """Whether the last one runs, and takes messages again."""
        return cls.last is not None and cls.last.process.running and cls._tell("add_consumer")

    @classmethod
    def _end_waiting(cls) -> None:
        """It still waits for a message for up to a second. It would put that of the next test back at once, but the
        test may look meanwhile, and find none."""
        from portal.celery import app

        with app.connection_for_write() as connection:
            broker: Any = getattr(connection.default_channel, "client")  # noqa: B009  # of the transport for Redis
            for client in broker.client_list():
                if client["cmd"] == "brpop":
                    broker.client_unblock(int(client["id"]))

    @classmethod
    def _tell(cls, command: str) -> bool:
        """Whether it has confirmed the command for each queue."""
        from portal.celery import app

        names = [queue.name for queue in settings.CELERY_TASK_QUEUES]
        options: dict[str, Any] = {"destination": [cls.NAME], "reply": True, "limit": 1, "timeout": 10}
        with suppress(OperationalError), app.connection_for_write() as connection:
            options["connection"] = connection
            return all(app.control.broadcast(command, arguments={"queue": name}, **options) for name in names)
        return False

    @classmethod
    def _is_idle(cls, seconds: float = 20) -> bool:
        """Whether it has nothing in hand within so many seconds. One that does not answer may be at work."""
        from portal.celery import app

        deadline = time.monotonic() + seconds
        # A connection of its own: those of the pool may be to a broker that a test has restarted.
        with app.connection_for_write() as connection:
            inspect = app.control.inspect([cls.NAME], timeout=seconds / 2, limit=1, connection=connection)
            while time.monotonic() < deadline:
                active, reserved = inspect.active(), inspect.reserved()
                if active and reserved and not active[cls.NAME] and not reserved[cls.NAME]:
                    return True
                time.sleep(0.05)
        return False
