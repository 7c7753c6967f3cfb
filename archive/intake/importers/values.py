"""Values out of files that anybody may have written: each is checked, none is believed."""

import json
import re
import unicodedata
from datetime import UTC, datetime, timedelta

from django.utils.translation import gettext

from archive.errors import Unreadable
from archive.language_tags import is_language_tag

MAX_BYTES = 16 * 10**6  # bytes of a file of facts; a real one is a few hundred kB
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
YEARS = range(2006, 2100)  # what is outside of them is no time of a recording, but a 0 or a mistake
# Whole numbers of these magnitudes can only be seconds, milliseconds, microseconds, nanoseconds since 1970.
UNITS = {10: 10**6, 13: 10**3, 16: 1, 19: -(10**3)}


def document(data: bytes, name: str) -> object:
    """What a JSON file says. Raises Unreadable: too large, not JSON, or nested without end."""
    if len(data) > MAX_BYTES:
        raise Unreadable("import.file_too_large", file=name, limit=MAX_BYTES)
    try:
        return json.loads(data.decode("utf-8-sig"), parse_constant=_refused)
    except RecursionError:
        raise Unreadable("import.json_too_deep", file=name) from None
    except ValueError:  # not UTF-8, not JSON, NaN, a number of thousands of digits
        raise Unreadable("import.not_json", file=name) from None


def _refused(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def dig(value: object, *keys: str) -> object:
    """value[key][key]..., or None where something on the way is not an object or has no such key."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def items(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def text(value: object, longest: int = 300) -> str:
    """One line without control characters and halves of characters; "" for what is no text."""
    if not isinstance(value, str):
        return ""
    spaced = " ".join(value[: longest * 4].split())
    return "".join(c for c in spaced if unicodedata.category(c) not in ("Cc", "Cs"))[:longest].strip()


def short(value: object) -> str:
    """A value as it is shown in a note."""
    shown = repr(value[:60] if isinstance(value, str) else value) if isinstance(value, (str, int, float)) else ""
    return text(shown, 40) or gettext("no number and no text")


def count(value: object) -> int | None:
    """A whole number from 0 on, also when it is written as text. None for everything else."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63:
        return value
    return None


def instant(value: object) -> datetime | None:
    """A moment in UTC: a whole number since 1970 (s, ms, µs or ns), or ISO 8601 with a zone. None for everything else:
    above all for a naive datetime."""
    if isinstance(value, float) and value.is_integer() and 0 < value < 2**63:
        value = int(value)
    number = count(value)
    if number is not None:
        unit = UNITS.get(len(str(number)))
        if unit is None:
            return None
        moment = EPOCH + timedelta(microseconds=number * unit if unit > 0 else number // -unit)
        return moment if moment.year in YEARS else None
    if not isinstance(value, str) or not re.match(r"\d{4}-\d\d-\d\d[T ]", value):
        return None
    try:
        moment = datetime.fromisoformat(value.strip())
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo is not None and moment.year in YEARS else None


def language(value: object) -> str:
    """A language tag such as en or pt-BR, or ""."""
    tag = text(value)
    return tag if is_language_tag(tag) and tag not in ("und", "zxx") else ""
