"""Parse untrusted JSON. The number of objects is limited before parsing, so that memory stays bounded."""

import json
from typing import Any

from archive.errors import Unreadable
from archive.language_tags import is_language_tag

# Without these limits, 20 MB of "{}," would become a gigabyte of dicts.
OPENINGS = 500_000  # "{" and "["
COMMAS = 1_500_000


def loads(text: str) -> Any:
    """Parse JSON. Raises Unreadable, also for nesting beyond Python's limit and numbers with thousands of digits."""
    if text.count("{") + text.count("[") > OPENINGS or text.count(",") > COMMAS:
        raise Unreadable("transcript.json_too_large")
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise Unreadable("transcript.json_broken", line=error.lineno) from error
    except (RecursionError, ValueError) as error:
        raise Unreadable("transcript.json_too_deep") from error


def language(tag: object) -> str | None:
    """Return the language tag (BCP 47), or None if it is not one."""
    return tag if isinstance(tag, str) and is_language_tag(tag) else None
