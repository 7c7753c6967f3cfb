"""Format times, sizes, durations and counts for people, in the current language.

Times are UTC, unless a function says otherwise. Pages activate the time zone of their reader (portal/middleware.py);
commands, mail and bundles have none, so that their times are UTC as well.
"""

from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import cache
from math import ceil
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo, available_timezones

from django.utils import timezone
from django.utils.dates import MONTHS_ALT
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


class DateTexts(NamedTuple):
    """The texts of dates and times in one language. Looking a text up takes longer than formatting a time, and a list
    has a hundred times."""

    with_year: str
    without_year: str
    time: str
    time_in_utc: str
    months: tuple[str, ...]

    def write(self, value: date) -> str:
        return self.with_year.format(day=value.day, month=self.months[value.month - 1], year=value.year)

    def write_without_year(self, value: date) -> str:
        return self.without_year.format(day=value.day, month=self.months[value.month - 1])


def _texts() -> DateTexts:
    return _texts_in(get_language())


@cache
def _texts_in(language: str | None) -> DateTexts:
    """Return the texts of `language`, which must be the active one."""
    # Django's catalogs have the form that a month has after a day, since some languages inflect it.
    months = tuple(str(MONTHS_ALT[number]) for number in range(1, 13))
    return DateTexts(_("{day} {month} {year}"), _("{day} {month}"), _("{day}, {time}"), _("{day}, {time} UTC"), months)


# Whether the reader wants all times in UTC; the title of <time> elements then has the local time.
shows_utc: ContextVar[bool] = ContextVar("shows_utc", default=False)


def format_time(value: datetime, *, seconds: bool = False) -> str:
    """Format as "22 December 2026, 15:05", or "15:05:09", in the active time zone, with "UTC" in UTC. Raises ValueError
    for a naive datetime."""
    return _write_time(to_active_zone(value), _texts(), seconds)


def format_with_utc(value: datetime, *, seconds: bool = False) -> tuple[str, str]:
    """Return `format_time`, and the same in UTC: "" if it is in UTC already. Raises ValueError for a naive datetime."""
    local, texts = to_active_zone(value), _texts()
    in_utc = "" if is_utc(local) else _write_time(local.astimezone(UTC), texts, seconds)
    return _write_time(local, texts, seconds), in_utc


def format_utc(value: datetime, *, seconds: bool = False) -> str:
    """Format as "22 December 2026, 14:05 UTC", whatever zone is active. Raises ValueError for a naive datetime."""
    return _write_time(_to_zone(value, UTC), _texts(), seconds)


def _write_time(local: datetime, texts: DateTexts, seconds: bool) -> str:
    sentence = texts.time_in_utc if is_utc(local) else texts.time
    return sentence.format(day=texts.write(local), time=f"{local:%H:%M:%S}" if seconds else f"{local:%H:%M}")


@dataclass(frozen=True)
class TimedSentence:
    """A sentence with a time in it: "will be deleted on {time}". It is formatted only when it is shown, since
    formatting a time is slow and a list may not show it."""

    text: "StrOrPromise"
    at: datetime

    def __str__(self) -> str:
        """Format with the time in the active time zone."""
        return str(self.text).format(time=format_time(self.at))

    def in_utc(self) -> str:
        return str(self.text).format(time=format_utc(self.at))


def format_hour(value: datetime) -> str:
    """Format as "15:05" in the active time zone, with "UTC" in UTC. Raises ValueError for a naive datetime."""
    local = to_active_zone(value)
    return f"{local:%H:%M} UTC" if is_utc(local) else f"{local:%H:%M}"


def to_active_zone(value: datetime) -> datetime:
    """Convert to the active time zone. Raises ValueError for a naive datetime."""
    return _to_zone(value, timezone.get_current_timezone())


def _to_zone(value: datetime, zone: tzinfo) -> datetime:
    if value.tzinfo is None:
        raise ValueError(f"naive datetime: {value.isoformat()}")
    return value.astimezone(zone)


def is_utc(local: datetime) -> bool:
    """Return whether this time is in UTC, by the name of its zone."""
    return local.tzname() == "UTC"


def describe_clock_change(first: datetime, second: datetime) -> str:
    """Return a sentence that explains why two times that are whole days apart differ in their time of day: clocks
    change between them in the active time zone. "" if both have the same offset. Raises ValueError for naive
    datetimes."""
    before, after = sorted(to_active_zone(value).astimezone(UTC) for value in (first, second))
    offset = to_active_zone(after).utcoffset()
    if to_active_zone(before).utcoffset() == offset:
        return ""
    while after - before > timedelta(minutes=1):  # the change is between them
        middle = before + (after - before) / 2
        before, after = (before, middle) if to_active_zone(middle).utcoffset() == offset else (middle, after)
    return _("Clocks change on {day}, so the time of day differs.").format(day=format_date(to_active_zone(after)))


def format_day(value: datetime) -> str:
    """Format as "22 December 2026"."""
    return format_date(value.astimezone(UTC))


def format_date(value: date) -> str:
    """Format a date, or the day of a time in its own zone, as "22 December 2026"."""
    return _texts().write(value)


def format_local_time(value: datetime, zone: str) -> str:
    """Format as "22 December 2026, 15:05 (Europe/Berlin)" in the time zone with this IANA name.

    Returns "" if the name is empty or unknown, and for UTC. Raises ValueError for a naive datetime.
    """
    if value.tzinfo is None:
        raise ValueError(f"naive datetime: {value.isoformat()}")
    if zone not in known_time_zones():
        return ""
    local = value.astimezone(ZoneInfo(zone))
    if is_utc(local):
        return ""
    return _("{day}, {time} ({zone})").format(day=format_date(local), time=f"{local:%H:%M}", zone=zone)


def format_short_time(value: datetime, now: datetime) -> str:
    """Format as "22 December, 15:05" in the active time zone, with "UTC" in UTC, and with the year unless it is the
    year of `now`. Raises ValueError for naive datetimes."""
    local, texts = to_active_zone(value), _texts()
    same_year = local.year == now.astimezone(local.tzinfo).year
    day = texts.write_without_year(local) if same_year else texts.write(local)
    sentence = texts.time_in_utc if is_utc(local) else texts.time
    return sentence.format(day=day, time=f"{local:%H:%M}")


@cache
def known_time_zones() -> frozenset[str]:
    """Return the IANA time zone names that this machine knows."""
    return frozenset(available_timezones())


def shorten(text: str, length: int) -> str:
    """Cut the text to at most `length` characters, at a word boundary if that loses less than half of it."""
    if len(text) <= length:
        return text
    cut = text[: length - 1]
    if not text[length - 1].isspace():
        head, _space, _tail = cut.rpartition(" ")
        cut = head if len(head) >= length // 2 else cut
    return f"{cut.rstrip()}…"


def format_size(count: int) -> str:
    """Format bytes in decimal units: 812 bytes, 517 kB, 84.2 MB. Limits are round numbers of such units: 5 GB."""
    if count < 1000:
        return ngettext("{count} byte", "{count} bytes", count).format(count=count)
    number = float(count)
    for unit in ("kB", "MB", "GB", "TB", "PB"):
        number /= 1000
        if number < 999.5 or unit == "PB":  # 999.5 and more would round to 1000 of this unit
            break
    digits = f"{number:.1f}" if number < 99.95 else f"{number:.0f}"
    return f"{digits.removesuffix('.0')} {unit}"


def format_duration(seconds: float) -> str:
    """Format as "1:03:46" or "3:07", rounded down, as players show positions."""
    minutes, second = divmod(max(0, int(seconds)), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def format_period(seconds: float) -> str:
    """Format a length of time in its two largest units: "3 d 4 h", "1 h 3 min", "1 min 28 s", "9 s"."""
    whole = max(0, int(seconds))
    units = {_("d"): 86400, _("h"): 3600, _("min"): 60, _("s"): 1}
    parts = []
    for unit, length in units.items():
        count, whole = divmod(whole, length)
        parts.append((count, unit))
    first = next((place for place, (count, _unit) in enumerate(parts) if count), len(parts) - 1)
    shown = [part for place, part in enumerate(parts[first : first + 2]) if place == 0 or part[0]]
    return " ".join(f"{count}\u202f{unit}" for count, unit in shown)


def format_delay(seconds: float) -> str:
    """Format as `format_period`, but round the smaller unit up, so that a delay never looks shorter than it was."""
    whole = ceil(max(0, seconds))
    for least, unit in ((86400, 3600), (3600, 60)):
        if whole > least - unit:
            whole = -(-whole // unit) * unit
            break
    return format_period(whole)


def format_time_left(left: timedelta) -> str:
    """Format as "24 days left", "5 hours left", "3 minutes left": whole units, rounded down so as not to promise
    too much."""
    days, hours, minutes = left // timedelta(days=1), left // timedelta(hours=1), left // timedelta(minutes=1)
    if days >= 2:
        return ngettext("{count} day left", "{count} days left", days).format(count=days)
    if hours >= 2:
        return ngettext("{count} hour left", "{count} hours left", hours).format(count=hours)
    if minutes >= 1:
        return ngettext("{count} minute left", "{count} minutes left", minutes).format(count=minutes)
    return _("less than a minute left")


def format_number(number: int) -> str:
    """Format as "12 345", with narrow no-break spaces."""
    return f"{number:,}".replace(",", "\u202f")


def format_count(number: int, thing: str) -> str:
    """Format as "1 object" or "3 objects", in English: for the output of commands."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
