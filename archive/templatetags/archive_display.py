"""Template filters that format times, sizes and counts, and tags for the language of a page and for the operator."""

from datetime import UTC, date, datetime, tzinfo
from functools import cache
from html import escape
from typing import Any, cast

from django import template
from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from archive import formatting

register = template.Library()

# The clock that a list shows for each Space. Written in Python, since a template takes a node for each number.
DIAL = (
    '<svg class="dial" viewBox="0 0 24 24" width="24" height="24" aria-hidden="true" focusable="false">'
    '<circle class="rest" cx="12" cy="12" r="10"/><circle class="past" cx="12" cy="12" r="10" pathLength="100"'
    ' stroke-dasharray="{percent:.2f} 100" transform="rotate(-90 12 12)"/><path class="sign calm" d="M12 7v5l3 2"/>'
    '<path class="sign soon" d="M12 7v5L9 9.5"/><path class="sign urgent" d="M12 7v6m0 3.6v.1"/>'
    '<path class="sign kept" d="{kept}"/></svg>'
)
FLAG = "M9.5 17V7h6l-1.2 2.25 1.2 2.25h-6"
PADLOCK = "M8.5 11.5h7v5h-7zM10 11.5V10a2 2 0 0 1 4 0v1.5"
BAR = (
    '<svg class="bar" width="100%" height="8" aria-hidden="true"><rect class="rest" width="100%" height="8" rx="4"/>'
    '<rect class="past" width="{percent:.2f}%" height="8" rx="4"/>{marks}</svg>'
)
BAR_MARK = '<line class="mark" x1="{percent:.2f}%" x2="{percent:.2f}%" y2="8"/>'
ICON = "archive/parts/icon.html"


@register.simple_tag
def page_language() -> str:
    """Return the language of the page for the attribute `lang`: `en` for English of any country."""
    language = get_language() or "en"
    return "en" if language.partition("-")[0] == "en" else language


@register.simple_tag(takes_context=True)
def icon(context: Any, name: str) -> SafeString:
    """Draw an icon of archive/static/archive/icons.svg. A page has dozens, and an include for each would be slow."""
    return _draw_icon(name, offline=bool(context.get("offline")))


@cache
def _draw_icon(name: str, *, offline: bool) -> SafeString:
    """Draw it once per process, like the addresses of static files."""
    return SafeString(render_to_string(ICON, {"name": name, "offline": offline}).strip())


@register.simple_tag
def dial(face: Any) -> SafeString:
    """Draw the dial of a ClockFace. Its sign is a flag while a flag extends the deadline, and a padlock on hold."""
    return SafeString(DIAL.format(percent=face.percent, kept=FLAG if face.until else PADLOCK))


@register.simple_tag
def clock_attributes(face: Any) -> SafeString:
    """Return what scripts read of a ClockFace (archive/core/clock.js), as attributes."""
    values = {
        "clock": face.tone,
        "ended": iso(face.ended_at),
        "until": iso(open_deadline(face)),
        "over": face.over,
        "left": face.left,
    }
    return SafeString(" ".join(f'data-{name}="{escape(str(value))}"' for name, value in values.items() if value))


def open_deadline(face: Any) -> datetime | None:
    """Return the deadline to which an open page counts; None for a Space on hold, or past it."""
    return None if face.tone == "gone" else face.until


@register.simple_tag
def clock_bar(face: Any) -> SafeString:
    """Draw the bar of a ClockFace in a row of a list."""
    marks = "".join(BAR_MARK.format(percent=mark.percent) for mark in face.marks)
    return SafeString(BAR.format(percent=face.percent, marks=marks))


@register.simple_tag
def operator(default: str | None = None) -> SafeString:
    """Return the operator's name with a link to reach them, for the end of "ask ...". `default`: without settings."""
    name, contact = settings.OPERATOR_NAME, settings.OPERATOR_CONTACT
    if not name and not contact:
        return conditional_escape(_("the operator of this site") if default is None else default)
    if not contact:
        return format_html("<bdi>{}</bdi>", name)
    url = contact if "://" in contact else f"mailto:{contact}"
    shown = name or contact
    return format_html('<a href="{}"><bdi>{}</bdi></a>', url, shown)


@register.simple_tag
def operator_text(default: str | None = None) -> str:
    """Return the operator's name and contact as plain text, for mail."""
    name, contact = settings.OPERATOR_NAME, settings.OPERATOR_CONTACT
    if name and contact:
        return f"{name} ({contact})"
    return name or contact or (_("the operator of this site") if default is None else default)


@register.filter
def moment(value: datetime | None) -> SafeString:
    """Return a <time> element that shows an aware time in the reader's zone; empty for None."""
    return time_element(value, *formatting.format_with_utc(value), "time") if value else SafeString("")


def time_element(value: datetime, text: str, in_utc: str, form: str) -> SafeString:
    """Return a <time> element: `text` is the time in the active zone, and the `title` is the same in UTC, or the other
    way round if `formatting.shows_utc`. `in_utc` is "" if times are UTC anyway.

    While a page does not know its reader's zone (portal/middleware.py), the text is UTC, and a script replaces it by
    the time in the browser's zone (core/local-times.js, which knows `form`).
    """
    if not in_utc and cast(tzinfo, timezone.get_current_timezone()) is UTC:
        return SafeString(f'<time datetime="{iso(value)}" data-utc="{form}">{escape(text)}</time>')
    return _titled_time(value, text, in_utc)


@register.filter
def exact_moment(value: datetime | None) -> SafeString:
    """Return a <time> element with seconds, in the reader's zone; its `title` is the same in UTC."""
    if not value:
        return SafeString("")
    return _titled_time(value, *formatting.format_with_utc(value, seconds=True))


def _titled_time(value: datetime, text: str, title: str) -> SafeString:
    """Return a <time> element with the time in both zones, one in the `title`. core/local-times.js swaps them.

    `text` is the time in the active zone, `title` the time in UTC; "" if they are the same."""
    at, text, title = iso(value), escape(text), escape(title)
    if not title:
        return SafeString(f'<time datetime="{at}">{text}</time>')
    if formatting.shows_utc.get():
        return SafeString(f'<time datetime="{at}" title="{text}" data-shows-utc>{title}</time>')
    return SafeString(f'<time datetime="{at}" title="{title}">{text}</time>')


@register.filter
def period(value: float | None) -> str:
    """Format seconds as "1 min 28 s"; empty for None."""
    return "" if value is None else formatting.format_period(value)


@register.filter
def delay(value: float | None) -> str:
    """Format seconds as "1 min 28 s", rounded up; empty for None."""
    return "" if value is None else formatting.format_delay(value)


@register.filter
def iso(value: datetime | None) -> str:
    """Format an aware time for scripts: 2026-12-22T14:05:00Z, UTC, whole seconds; empty for None."""
    return f"{value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='seconds')}Z" if value else ""


@register.filter
def day(value: date | None) -> SafeString:
    """Return a <time> element that shows a date, or the day of an aware time in the reader's zone; empty for None."""
    if not value:
        return SafeString("")
    on = formatting.to_active_zone(value).date() if isinstance(value, datetime) else value
    return format_html('<time datetime="{}">{}</time>', on.isoformat(), formatting.format_date(on))


@register.filter
def clock_time(value: datetime | None) -> SafeString:
    """Return a <time> element with the hour and minute of an aware time in the reader's zone; empty for None."""
    return time_element(value, formatting.format_hour(value), utc_title(value), "hour") if value else SafeString("")


@register.filter
def utc_title(value: datetime) -> str:
    """Return an aware time in UTC, as text: 22 December 2026, 14:05 UTC; empty if times are UTC anyway."""
    return formatting.format_with_utc(value)[1]


@register.simple_tag
def deadline_sentence(face: Any) -> SafeString:
    """Return the sentence of a ClockFace with its deadline, as a <time> element in the reader's zone; its `title` is
    the same in UTC. core/local-times.js swaps them, as for other times."""
    text = str(face.sentence)
    if face.until is None:
        return conditional_escape(text)
    in_utc = face.sentence.in_utc() if isinstance(face.sentence, formatting.TimedSentence) else text
    return _titled_time(face.until, text, "" if in_utc == text else in_utc)


@register.simple_tag
def clock_change(first: datetime, second: datetime) -> str:
    """Explain that clocks change between two times of a page, so that their times of day differ; "" if they don't."""
    return formatting.describe_clock_change(first, second)


@register.filter
def shorten(value: object, length: int) -> str:
    """Cut the text to at most `length` characters, at a word boundary."""
    return formatting.shorten(str(value), length)


@register.filter
def size(value: int | None) -> str:
    """Format bytes in decimal units: 812 bytes, 517 kB, 84.2 MB; empty for None."""
    return "" if value is None else formatting.format_size(value)
