"""Times in the reader's own zone."""

from datetime import datetime

from django.utils.html import format_html
from django.utils.safestring import SafeString

from archive import formatting
from archive.templatetags.archive_display import iso


def local_time(value: datetime, zone: str, now: datetime) -> SafeString:
    """A <time> element in one line, such as "22 December, 15:05"; its `title` has the time in UTC.

    `zone` is an IANA name. Without a known one the text is UTC, and the browser replaces it (core/local-times.js).
    """
    return format_html(
        '<time datetime="{}" title="{}"{}>{}</time>',
        iso(value),
        formatting.format_time(value),
        "" if zone in formatting.known_time_zones() else SafeString(" data-utc"),
        formatting.format_short_time(value, zone, now),
    )
