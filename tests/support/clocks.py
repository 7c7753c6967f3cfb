"""A clock for one module that tests advance, instead of waiting."""

from dataclasses import dataclass


@dataclass
class MonotonicClock:
    """Replaces the module `time` where only `monotonic` is called."""

    now: float = 1000.0

    def monotonic(self) -> float:
        return self.now
