"""Read values from untrusted files, checking each one."""

import json
import re
import unicodedata
from datetime import UTC, datetime, timedelta

from django.utils.translation import gettext

from archive.errors import Unreadable
from archive.language_tags import is_language_tag

MAX_BYTES = 16 * 10**6  # bytes of a metadata file; a real one has a few hundred kB
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
YEARS = range(2006, 2100)  # other years are not the time of a recording, but a 0 or a mistake
# By the number of digits: seconds, milliseconds, microseconds or nanoseconds since 1970.
UNITS = {10: 10**6, 13: 10**3, 16: 1, 19: -(10**3)}


def document(data: bytes, name: str) -> object:
    """Parse a JSON file. Raises Unreadable if it is too large, not JSON, or nested too deeply."""
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
    """Return value[key][key]..., or None if something on the way is not an object or lacks the key."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def items(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def text(value: object, longest: int = 300) -> str:
    """Return one line without control characters and lone surrogates; "" if the value is not text."""
    if not isinstance(value, str):
        return ""
    spaced = " ".join(value[: longest * 4].split())
    return "".join(c for c in spaced if unicodedata.category(c) not in ("Cc", "Cs"))[:longest].strip()


def short(value: object) -> str:
    """Format a value for a note."""
    shown = repr(value[:60] if isinstance(value, str) else value) if isinstance(value, (str, int, float)) else ""
    return text(shown, 40) or gettext("no number and no text")


def count(value: object) -> int | None:
    """Return a whole number from 0 on, also if it is written as text; None for anything else."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63:
        return value
    return None


def instant(value: object) -> datetime | None:
    """Return a time in UTC from a whole number since 1970 (s, ms, µs or ns), or from ISO 8601 with a zone. None for
    anything else, above all for a naive datetime."""
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
    """Return a language tag such as en or pt-BR, or ""."""
    tag = text(value)
    return tag if is_language_tag(tag) and tag not in ("und", "zxx") else ""
