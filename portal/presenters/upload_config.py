"""File patterns and limits for the scripts of the upload page, so that they agree with the importers."""

import re
from typing import Any

from archive import language_tags
from archive.intake import importers
from archive.intake.importers import captions, tags, xarchive, zoom
from archive.intake.importers.tree import HIDDEN, SOUNDS


def upload_config() -> dict[str, Any]:
    """As JSON has it; portal/static/portal/upload/config.js describes each entry."""
    return {
        "headBytes": tags.HEAD,
        "sidecarBytes": importers.MAX_INSPECTED_BYTES,
        "recordingExtensions": list(SOUNDS),
        "transcriptExtensions": [*captions.ENDINGS, ".txt"],
        "chat": _pattern(zoom.CHAT_NAME),
        "hidden": _pattern(HIDDEN),
        "spaceRecording": _pattern(xarchive.RECORDING),
        "spaceMetadata": _pattern(xarchive.METADATA),
        "ownTrack": _pattern(zoom.OWN_TRACK),
        "language": _pattern(language_tags.PATTERN),
    }


def _pattern(pattern: re.Pattern[str]) -> dict[str, str]:
    """A regular expression that JavaScript reads; the patterns use no syntax beyond what both languages share."""
    flags = "i" if pattern.flags & re.IGNORECASE else ""
    return {"pattern": pattern.pattern.replace("(?P<", "(?<"), "flags": flags}
