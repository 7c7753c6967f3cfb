"""Sizes, durations and times look the same from the server and in the browser. Both are checked with
format_cases.json."""

import json
import subprocess
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from archive import formatting
from embedded.node import find as find_node


def in_zone(zone: str, format_: Callable[..., str], *times: datetime) -> str:
    with timezone.override(zone):
        return format_(*times)


ROOT = Path(__file__).parent.parent
CASES = json.loads((ROOT / "tests" / "support" / "format_cases.json").read_text())
IN_PYTHON: dict[str, Callable[..., str]] = {
    "size": formatting.format_size,
    "duration": formatting.format_duration,
    "time_left": lambda seconds: formatting.format_time_left(timedelta(seconds=seconds)),
    "moment": lambda text: formatting.format_time(datetime.fromisoformat(text)),
    "short_time": lambda case: in_zone(case[2], formatting.format_short_time, *map(datetime.fromisoformat, case[:2])),
    "local_time": lambda case: in_zone(case[1], formatting.format_time, datetime.fromisoformat(case[0])),
}
IN_JAVASCRIPT = """
const [url, cases] = process.argv.slice(-2);
const { formatSize, formatDuration, formatTimeLeft, formatTime, formatLocalTime, formatShortTime } = await import(url);
const functions = {
  size: formatSize,
  duration: formatDuration,
  time_left: (seconds) => formatTimeLeft(seconds * 1000),
  moment: (text) => formatTime(new Date(text)),
  short_time: ([text, now, zone]) => formatShortTime(new Date(text), new Date(now), zone),
  local_time: ([text, zone]) => formatLocalTime(new Date(text), zone),
};
const format = ([name, rows]) => [name, rows.map(([value]) => functions[name](value))];
console.log(JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(cases)).map(format))));
"""


def test_the_server_formats() -> None:
    texts = {name: [IN_PYTHON[name](value) for value, _ in rows] for name, rows in CASES.items()}

    assert texts == {name: [text for _, text in rows] for name, rows in CASES.items()}


def test_the_browser_formats() -> None:
    node, _ = find_node()
    module = (ROOT / "archive/static/archive/core/format.js").as_uri()
    command = [str(node), "--input-type=module", "-e", IN_JAVASCRIPT, "--", module, json.dumps(CASES)]

    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)

    assert json.loads(done.stdout) == {name: [text for _, text in rows] for name, rows in CASES.items()}


@pytest.mark.parametrize(
    ("zone", "first", "second", "text"),
    [
        (
            "Europe/Berlin",
            "2027-03-05T12:00Z",
            "2027-06-03T12:00Z",
            "Clocks change on 28 March 2027, so the time of day",
        ),
        ("Europe/Berlin", "2026-10-01T12:00Z", "2026-10-31T12:00Z", "Clocks change on 25 October 2026, so the time of"),
        (
            "Europe/Berlin",
            "2027-06-03T12:00Z",
            "2027-03-05T12:00Z",
            "Clocks change on 28 March 2027, so the time of day",
        ),
        (
            "Europe/Berlin",
            "2027-03-28T00:59Z",
            "2027-03-28T01:00Z",
            "Clocks change on 28 March 2027, so the time of day",
        ),
        ("Australia/Lord_Howe", "2026-09-20T12:00Z", "2026-10-20T12:00Z", "Clocks change on 4 October 2026, so the"),
        ("Europe/Berlin", "2026-11-01T12:00Z", "2026-12-01T12:00Z", ""),
        ("Europe/Berlin", "2026-01-15T12:00Z", "2026-12-15T12:00Z", ""),  # two changes, to summer time and back
        ("Asia/Kolkata", "2027-03-05T12:00Z", "2027-06-03T12:00Z", ""),
        ("UTC", "2027-03-05T12:00Z", "2027-06-03T12:00Z", ""),
    ],
)
def test_a_change_of_the_clock_between_two_times_is_said(zone: str, first: str, second: str, text: str) -> None:
    sentence = in_zone(zone, formatting.describe_clock_change, *map(datetime.fromisoformat, (first, second)))

    assert sentence[: len(text)] == text
    assert bool(sentence) == bool(text)
