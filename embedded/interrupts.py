"""Count SIGINT, SIGTERM and SIGHUP, so that the program stops only at safe points, not between a fork and its
record."""

import signal
from types import FrameType


class Interrupted(Exception):
    """A signal asked this process to stop."""


class Interrupts:
    """Count requests to stop. The first one starts a graceful stop, the second an immediate one."""

    def __init__(self) -> None:
        self._count = 0
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._note)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._count += 1

    def check(self) -> None:
        """Raise Interrupted if there was a request to stop."""
        if self._count:
            raise Interrupted

    def hurry(self) -> bool:
        """Return whether there was a second request."""
        return self._count > 1
