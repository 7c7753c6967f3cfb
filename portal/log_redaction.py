"""Remove queries and secret parts of URLs from everything that is logged.

Links to download and to unsubscribe work without signing in, and a query can contain what a person typed. Neither
belongs in a log, no matter who writes the line: Django about a failed request, gunicorn about one that it can't parse,
botocore about a URL that it signed. Runs on every value of a line before it is rendered.
"""

import re
from typing import Any

QUERY = re.compile(r"(?<=[\w/.~%=-])\?[^\s\"'<>]+")
# Parts of URLs that give access without signing in: downloads, feeds, invitations, mailed links.
SECRET_PART = re.compile(
    r"(/(?:download|unsubscribe|feeds|invitation|accounts/confirm-email|accounts/password/reset/key)/)(?!done/)[^/\s\"'<>?]+"
)
PLAIN = (int, float, bool, type(None))


def redact_text(text: str) -> str:
    return SECRET_PART.sub(r"\1...", QUERY.sub("?...", text))


def redact_event(logger: Any, method: str, event: dict[str, Any]) -> dict[str, Any]:
    """A structlog processor. Put it after the exception is formatted, and before the line is rendered."""
    return {key: _redact(value) for key, value in event.items()}


def _redact(value: Any) -> Any:
    match value:
        case str():
            return redact_text(value)
        case dict():
            return {key: _redact(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_redact(inner) for inner in value]
        case _:
            return value if isinstance(value, PLAIN) else redact_text(repr(value))
