"""The scheduler of `celery beat`: it uses the monotonic clock."""

import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from celery import beat

MOST_SLEEP = 60.0  # seconds; health checks consider beat hung if the file is four minutes old


class Scheduler(beat.Scheduler):
    """Send each entry at the start, and then at its interval.

    Celery's own scheduler writes the time of each last run to a file, and compares it with the wall clock: if the clock
    is a year ahead for a minute, beat then sends nothing for a year. This scheduler stores no times, because each task
    finds its work in the database. Its file is empty: health checks look at the time of its last change.
    """

    def __init__(self, *args: Any, schedule_filename: str = "", **kwargs: Any) -> None:
        self._alive = Path(schedule_filename)
        self._due_at: dict[str, float] = {}
        super().__init__(*args, **kwargs)

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Send what is due. Returns how many seconds to sleep, at most a minute."""
        for name, entry in self.schedule.items():
            if self._due_at.get(name, 0.0) <= time.monotonic():
                self.apply_entry(entry, producer=self.producer)
                interval: timedelta = self.app.conf.beat_schedule[name]["schedule"]
                self._due_at[name] = time.monotonic() + interval.total_seconds()
        with suppress(OSError):
            self._alive.touch()
        return max(0.0, min(min(self._due_at.values()) - time.monotonic(), MOST_SLEEP))
