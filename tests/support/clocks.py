"""A clock for one module: tests move it instead of waiting."""

from dataclasses import dataclass


@dataclass
class MonotonicClock:
    """In place of the module `time`, where only `monotonic` is called."""

    now: float = 1000.0

    def monotonic(self) -> float:
        return self.now
