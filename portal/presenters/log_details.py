"""Turn an entry's detail into readable names and values. The log stores keys, codes and numbers."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from archive import formatting
from archive.display.deadline_reasons import name_reason
from archive.log.detail_names import detail_name

DEADLINES = ("before", "after", "deadline", "expires_at")
COMMITTED = ("title", "name", "reason", "statement", "case", "evidence")  # by archive.log.commitment
DIGEST = re.compile("[0-9a-f]{64}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


# Errors from reading a detail that lacks the keys, types or values of this version. Entries can't be corrected, so none
# may break a page: known parts are rendered, and the rest is left out.
UNEXPECTED = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError)


def detail_facts(detail: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return (name, value) of each key."""
    return [(_name(key, value), _value(value, key)) for key, value in detail.items()]


def _value(value: Any, key: str) -> str:
    try:
        return _plain(value, key)
    except UNEXPECTED:
        return str(value)


def _name(key: str, value: Any) -> str:
    """Return the name of a key. For texts that people wrote, the log has only a commitment."""
    if key in COMMITTED and isinstance(value, str) and DIGEST.fullmatch(value):
        return _("{name}, as a salted hash").format(name=detail_name(key))
    return detail_name(key)


def _plain(value: Any, key: str = "") -> str:
    if isinstance(value, dict):
        return ", ".join(f"{detail_name(name)} {_plain(inner, name)}" for name, inner in value.items())
    if isinstance(value, list):
        return "; ".join(_plain(inner, key) for inner in value)
    if value is None:
        return _("no deadline") if key in DEADLINES else _("none")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, int):
        return _with_unit(value, key)
    if isinstance(value, str):
        return _text(value, key)
    return str(value)


def _with_unit(number: int, key: str) -> str:
    if key == "duration_ms":
        return formatting.format_period(number / 1000)
    if key == "size" and number >= 1000:
        exact = _("{number} bytes").format(number=formatting.format_number(number))
        return f"{formatting.format_size(number)} ({exact})"
    if key == "size":
        return formatting.format_size(number)
    if key == "crc32":
        return f"{number:08x}"
    return str(number)


def _text(text: str, key: str) -> str:
    if key == "language" and text == "und":
        return _("not known")
    if key == "deadline_reasons":
        return name_reason(text)
    if time := _parse_time(text):
        return formatting.format_time(time, seconds=True)
    return text


def _parse_time(text: str) -> datetime | None:
    """Parse a time as the log writes it (archive.log.rfc3339); None for other text."""
    try:
        return datetime.fromisoformat(text) if TIME.fullmatch(text) else None
    except ValueError:
        return None
