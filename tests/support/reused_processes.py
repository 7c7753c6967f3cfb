"""Keep the web process and the worker of the last test for the next test with the same settings."""

import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, ClassVar

from django.conf import settings
from kombu.exceptions import OperationalError

from embedded.process import Process


@dataclass
class Reused:
    """A process that the next test reuses instead of waiting until a new one has started."""

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
    """The worker. Between two tests it consumes no messages and does no work."""

    in_use: bool = True

    last: ClassVar["Worker | None"] = None
    NAME: ClassVar[str] = "reused@tests"

    @classmethod
    def pause(cls) -> None:
        """End of a test: let the worker finish its current work and stop consuming. Kill it if that fails."""
        if cls.last is None:
            return
        cls.last.in_use = False
        if not cls.last.process.running or not (cls._tell("cancel_consumer") and cls._is_idle()):
            cls.kill()
        else:
            cls._end_waiting()

    @classmethod
    def resume(cls) -> bool:
        """Return whether the last worker runs and consumes messages again."""
        return cls.last is not None and cls.last.process.running and cls._tell("add_consumer")

    @classmethod
    def _end_waiting(cls) -> None:
        """End its blocking wait for a message, which lasts up to a second. It would return a message of the next test
        to the queue, but the test could look before that and find the queue empty."""
        from portal.celery import app

        with app.connection_for_write() as connection:
            broker: Any = getattr(connection.default_channel, "client")  # noqa: B009  # of the transport for Redis
            for client in broker.client_list():
                if client["cmd"] == "brpop":
                    broker.client_unblock(int(client["id"]))

    @classmethod
    def _tell(cls, command: str) -> bool:
        """Return whether the worker has confirmed the command for each queue."""
        from portal.celery import app

        names = [queue.name for queue in settings.CELERY_TASK_QUEUES]
        options: dict[str, Any] = {"destination": [cls.NAME], "reply": True, "limit": 1, "timeout": 10}
        with suppress(OperationalError), app.connection_for_write() as connection:
            options["connection"] = connection
            return all(app.control.broadcast(command, arguments={"queue": name}, **options) for name in names)
        return False

    @classmethod
    def _is_idle(cls, seconds: float = 20) -> bool:
        """Return whether the worker is idle within `seconds`. One that does not answer may be at work."""
        from portal.celery import app

        deadline = time.monotonic() + seconds
        # Use a new connection: the pool's may be to a broker that a test has restarted.
        with app.connection_for_write() as connection:
            inspect = app.control.inspect([cls.NAME], timeout=seconds / 2, limit=1, connection=connection)
            while time.monotonic() < deadline:
                active, reserved = inspect.active(), inspect.reserved()
                if active and reserved and not active[cls.NAME] and not reserved[cls.NAME]:
                    return True
                time.sleep(0.05)
        return False
