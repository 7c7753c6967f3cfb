"""Charts by day as SVG: the values of attributes, so that templates need no style and pages no script."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from archive import policy
from archive.audit.days import Day

WIDTH, HEIGHT = 720, 120  # units of the drawing, without its labels
LIMIT = int(policy.MAX_DELETION_DELAY.total_seconds())


@dataclass(frozen=True)
class Bar:
    x: float
    y: float
    width: float
    height: float
    day: date
    value: int

    @property
    def middle(self) -> float:
        return round(self.x + self.width / 2, 2)


@dataclass(frozen=True)
class Chart:
    """Bars of a measure by day. `most` is the value at the upper edge, `total` their sum."""

    code: str
    bars: list[Bar]
    most: int
    total: int


@dataclass(frozen=True)
class DelayChart:
    """Delays by day, in seconds: bars to the worst, marks of the median and the 99th percentile, and a line at the
    limit."""

    worst: list[Bar]
    p99: list[Bar]
    median: list[Bar]
    limit_y: float
    most: int


def count_charts(days: Sequence[Day]) -> list[Chart]:
    charts = []
    for code in ("uploaded", "flagged", "held", "deleted"):
        values = [int(getattr(day, code)) for day in days]
        most = max(values, default=0)
        charts.append(Chart(code, _bars(days, values, most), most, sum(values)))
    return charts


def begin_line(days: Sequence[Day], begins: date | None) -> float | None:
    """Return the position where the log begins in these charts, if it does not cover all days."""
    place = next((place for place, day in enumerate(days) if day.day == begins), 0)
    return round(place * WIDTH / len(days), 2) if place else None


def delay_chart(days: Sequence[Day]) -> DelayChart | None:
    """Return None if nothing was deleted at a deadline."""
    if not any(day.delays.total for day in days):
        return None
    measures = {
        "worst": [day.delays.worst for day in days],
        "p99": [day.delays.p99 for day in days],
        "median": [day.delays.median for day in days],
    }
    most = max(LIMIT, *(value for value in measures["worst"] if value is not None))
    bars = {name: _bars(days, [value or 0 for value in values], most) for name, values in measures.items()}
    shown = {
        name: [bar for bar, value in zip(bars[name], values, strict=True) if value is not None]
        for name, values in measures.items()
    }
    return DelayChart(**shown, limit_y=round(HEIGHT - HEIGHT * LIMIT / most, 2), most=most)


def _bars(days: Sequence[Day], values: Sequence[int], most: int) -> list[Bar]:
    step = WIDTH / max(len(days), 1)
    width = round(step * 0.8, 2)
    bars = []
    for place, (day, value) in enumerate(zip(days, values, strict=True)):
        height = round(HEIGHT * value / most, 2) if most else 0
        bars.append(Bar(round(place * step + step * 0.1, 2), round(HEIGHT - height, 2), width, height, day.day, value))
    return bars
