"""Tags and times as WebVTT and SRT write them."""

import re

from webvtt import WebVTT
from webvtt.errors import MalformedCaptionError, MalformedFileError

# <b>, </v>, <c.red>, <script> and <00:01.500>, but not "a < b", "1 <> 2" or "I <3 beans". No "<" inside a tag: so a
# search from each of a million "<" ends at the next, and the whole is linear.
TAG = re.compile(r"</?[a-zA-Z][^<>]*>|<\d+:[\d:.]+>")


def without_tags(text: str) -> str:
    """Tags are dropped, and what stands between them is kept: of <script>alert(1)</script> there stays "alert(1)"."""
    return TAG.sub("", text)


def times(form: str, line: str) -> tuple[int, int] | None:
    """(start, end) in milliseconds of a line with an arrow; None if the library of `form` (vtt, srt) can't read it.

    It gets nothing but this line: so every fault has a line number, and what it does with odd text does not matter."""
    head = ["WEBVTT", ""] if form == "vtt" else ["1"]
    try:
        captions = WebVTT.from_buffer([*head, line, "x"], format=form).captions
    except (MalformedCaptionError, MalformedFileError):
        return None
    if not captions:
        return None
    return captions[0].start_time.in_milliseconds(), captions[0].end_time.in_milliseconds()
