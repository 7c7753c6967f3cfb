"""JSON from strangers: what it may become in memory is bounded before it is read."""

import json
import re
from typing import Any

from archive.errors import Unreadable

# 20 MB of "{}," would be a gigabyte of dicts.
OPENINGS = 500_000  # "{" and "["
COMMAS = 1_500_000
LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,3}")


def loads(text: str) -> Any:
    """Raises Unreadable, also for what is nested deeper than Python goes, and for numbers of thousands of digits."""
    if text.count("{") + text.count("[") > OPENINGS or text.count(",") > COMMAS:
        raise Unreadable("transcript.json_too_large")
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise Unreadable("transcript.json_broken", line=error.lineno) from error
    except (RecursionError, ValueError) as error:
        raise Unreadable("transcript.json_too_deep") from error


def language(tag: object) -> str | None:
    """A language tag (BCP 47), or None for anything else."""
    return tag if isinstance(tag, str) and LANGUAGE.fullmatch(tag) else None
