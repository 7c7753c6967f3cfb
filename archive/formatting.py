"""How times, sizes and lengths read, wherever people read them."""

from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo, available_timezones


def format_time(value: datetime) -> str:
    """22 December 2026, 14:05 UTC. Raises ValueError for a time without a zone."""
    if value.tzinfo is None:
        raise ValueError(f"a time without a zone tells nobody when: {value.isoformat()}")
    utc = value.astimezone(UTC)
    return f"{utc.day} {utc:%B} {utc.year}, {utc:%H:%M} UTC"


def format_local_time(value: datetime, zone: str) -> str:
    """22 December 2026, 15:05 (Europe/Berlin), for an IANA name; "" for one that is empty or not known here, and for
    UTC itself. Raises ValueError for a time without a zone."""
    if value.tzinfo is None:
        raise ValueError(f"a time without a zone tells nobody when: {value.isoformat()}")
    if zone not in known_time_zones():
        return ""
    there = value.astimezone(ZoneInfo(zone))
    return "" if there.tzname() == "UTC" else f"{there.day} {there:%B} {there.year}, {there:%H:%M} ({zone})"


@cache
def known_time_zones() -> frozenset[str]:
    """The IANA names that this machine knows."""
    return frozenset(available_timezones())


def format_size(count: int) -> str:
    """Bytes in decimal units: 812 bytes, 517 kB, 84.2 MB."""
    if count < 1000:
        return "1 byte" if count == 1 else f"{count} bytes"
    number = float(count)
    for unit in ("kB", "MB", "GB", "TB", "PB"):
        number /= 1000
        if number < 999.5 or unit == "PB":  # what would be written as 1000 of this unit is 1 of the next
            break
    digits = f"{number:.1f}" if number < 99.95 else f"{number:.0f}"
    return f"{digits.removesuffix('.0')} {unit}"


def format_duration(seconds: float) -> str:
    """1:03:46 or 3:07, rounded to the second."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def format_number(number: int) -> str:
    """12 345, with narrow blanks that do not break."""
    return f"{number:,}".replace(",", "\u202f")


def format_count(number: int, thing: str) -> str:
    """1 object, 3 objects."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
