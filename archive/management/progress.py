"""Progress on a terminal."""

import sys
from typing import Any

from tqdm import tqdm


class ProgressBar:
    """First the seconds that were listened to, then the bytes that were stored."""

    def __init__(self, name: str) -> None:
        self.name, self.what = name, ""
        self.bar: tqdm[Any] | None = None

    def __enter__(self) -> "ProgressBar":
        return self

    def __exit__(self, *args: object) -> None:
        if self.bar is not None:
            self.bar.close()

    def show(self, what: str, done: float, total: float) -> None:
        if what != self.what:
            if self.bar is not None:
                self.bar.close()
            unit = {"unit": "B", "unit_scale": True} if what == "storing" else {"unit": "s"}
            self.bar = tqdm(
                desc=f"{self.name}: {what}", total=total or None, file=sys.stderr, disable=None, leave=False, **unit
            )
            self.what = what
        if self.bar is not None:
            self.bar.update(done - self.bar.n)
