"""Ctrl-C, SIGTERM and a closed terminal are noted, and acted on where it is safe: not between a fork and its record."""

import signal
from types import FrameType


class Interrupted(Exception):
    """Somebody asked us to stop."""


class Interrupts:
    """Counts requests to stop. The first one stops in order, the second at once."""

    def __init__(self) -> None:
        self._count = 0
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._note)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._count += 1

    def check(self) -> None:
        """Raise Interrupted once somebody asked us to stop."""
        if self._count:
            raise Interrupted

    def hurry(self) -> bool:
        """Whether somebody asked a second time."""
        return self._count > 1
