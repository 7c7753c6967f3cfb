"""Show progress on a terminal."""

import sys
from typing import Any

from tqdm import tqdm


class ProgressBar:
    """Shows the seconds decoded, then the bytes stored."""

    def __init__(self, name: str) -> None:
        self.name, self.step = name, ""
        self.bar: tqdm[Any] | None = None

    def __enter__(self) -> "ProgressBar":
        return self

    def __exit__(self, *args: object) -> None:
        if self.bar is not None:
            self.bar.close()

    def show(self, step: str, done: float, total: float) -> None:
        if step != self.step:
            if self.bar is not None:
                self.bar.close()
            unit = {"unit": "B", "unit_scale": True} if step == "storing" else {"unit": "s"}
            self.bar = tqdm(
                desc=f"{self.name}: {step}", total=total or None, file=sys.stderr, disable=None, leave=False, **unit
            )
            self.step = step
        if self.bar is not None:
            self.bar.update(done - self.bar.n)
