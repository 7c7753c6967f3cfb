"""File patterns and limits for the scripts of the upload page, so that they agree with the importers."""

import re
from typing import Any

from archive import language_tags
from archive.intake import importers
from archive.intake.importers import tags, xarchive
from archive.intake.importers.sniff import SNIFFED_BYTES, ZIP_ARCHIVE, ZIP_BYTES
from archive.intake.importers.tree import HIDDEN

TRANSCRIPT_BYTES = 2 * 1024**2  # bytes; the transcript of a day is smaller. Names after that are not suggested
MAX_SORTED_FILES = 500  # in one folder or archive


def upload_config() -> dict[str, Any]:
    """Return the configuration as JSON values; portal/static/portal/upload/config.js describes each entry."""
    return {
        "headBytes": tags.HEAD,
        "inspectedHeadBytes": importers.MAX_HEAD_BYTES,
        "sidecarBytes": importers.MAX_DESCRIPTION_BYTES,
        "transcriptBytes": TRANSCRIPT_BYTES,
        "sniffedBytes": SNIFFED_BYTES,
        "sortedFiles": MAX_SORTED_FILES,
        "zipBytes": ZIP_BYTES,
        "zipArchive": _pattern(ZIP_ARCHIVE),
        "hidden": _pattern(HIDDEN),
        "spaceArchive": _pattern(xarchive.LAYOUT),
        "spaceRecording": _pattern(xarchive.RECORDING),
        "spaceMetadata": _pattern(xarchive.METADATA),
        "language": _pattern(language_tags.PATTERN),
    }


def _pattern(pattern: re.Pattern[str]) -> dict[str, str]:
    """Return a regular expression for JavaScript; the patterns use only syntax that both languages share."""
    flags = "i" if pattern.flags & re.IGNORECASE else ""
    return {"pattern": pattern.pattern.replace("(?P<", "(?<"), "flags": flags}
