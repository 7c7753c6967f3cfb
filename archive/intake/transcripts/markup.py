"""Remove tags and parse times in WebVTT and SRT."""

import re

from webvtt import WebVTT
from webvtt.errors import MalformedCaptionError, MalformedFileError

# <b>, </v>, <c.red>, <script> and <00:01.500>, but not "a < b", "1 <> 2" or "I <3 beans". A tag holds no "<", so each
# search ends at the next "<", and a million of them take linear time.
TAG = re.compile(r"</?[a-zA-Z][^<>]*>|<\d+:[\d:.]+>")


def remove_tags(text: str) -> str:
    """Remove tags but not the text between them: <script>alert(1)</script> becomes "alert(1)"."""
    return TAG.sub("", text)


def parse_times(form: str, line: str) -> tuple[int, int] | None:
    """Parse the times of a line with an arrow: (start, end) in milliseconds, or None if webvtt-py can't parse it.

    `form` is vtt or srt. The library gets only this line, so every fault has a line number and its treatment of odd
    text does not matter.
    """
    head = ["WEBVTT", ""] if form == "vtt" else ["1"]
    try:
        captions = WebVTT.from_buffer([*head, line, "x"], format=form).captions
    except (MalformedCaptionError, MalformedFileError):
        return None
    if not captions:
        return None
    return captions[0].start_time.in_milliseconds(), captions[0].end_time.in_milliseconds()
