"""Limit how fast a package is read back, since uploads and downloads share the store and the network."""

import time
from collections.abc import Callable

from django.conf import settings

SHARE = 0.5  # part of a run's time; a package must be read in one run, so a large one is read faster


class Pace:
    """READ_BACK_BYTES_PER_SECOND, or more if `size` bytes would take longer than half of `seconds`. 0: no limit."""

    def __init__(self, size: int, seconds: float, wait: Callable[[float], object] = time.sleep) -> None:
        needed = size / max(1.0, SHARE * seconds)
        self.rate = max(settings.READ_BACK_BYTES_PER_SECOND, needed) if settings.READ_BACK_BYTES_PER_SECOND else 0.0
        self._wait = wait
        self._began = time.monotonic()

    def keep(self, count: int) -> None:
        """Wait until reading `count` bytes since the start is within the rate."""
        if self.rate:
            self._wait(max(0.0, count / self.rate - (time.monotonic() - self._began)))
