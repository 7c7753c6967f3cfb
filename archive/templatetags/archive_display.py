"""Template filters that format times, sizes and counts, and tags for the language of a page and for the operator."""

from datetime import UTC, date, datetime

from django import template
from django.conf import settings
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from archive import formatting

register = template.Library()


@register.simple_tag
def page_language() -> str:
    """The language of the page, for the attribute `lang`. English is `en`, of whatever country."""
    language = get_language() or "en"
    return "en" if language.partition("-")[0] == "en" else language


@register.simple_tag
def operator(default: str | None = None) -> SafeString:
    """Who runs this installation, with a link to reach them: for the end of "ask ...". `default`: without settings."""
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
    """The same as plain text, for mail: name and contact."""
    name, contact = settings.OPERATOR_NAME, settings.OPERATOR_CONTACT
    if name and contact:
        return f"{name} ({contact})"
    return name or contact or (_("the operator of this site") if default is None else default)


@register.filter
def moment(value: datetime | None) -> SafeString:
    """A <time> element that shows an aware time in UTC; empty for None."""
    if not value:
        return SafeString("")
    return format_html('<time datetime="{}">{}</time>', iso(value), formatting.format_time(value))


@register.filter
def iso(value: datetime | None) -> str:
    """An aware time as scripts parse it: 2026-12-22T14:05:00Z, UTC, whole seconds; empty for None."""
    return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if value else ""


@register.filter
def day(value: date | None) -> SafeString:
    """A <time> element that shows a date, or the day (UTC) of an aware time; empty for None."""
    if not value:
        return SafeString("")
    on = value.astimezone(UTC).date() if isinstance(value, datetime) else value
    return format_html('<time datetime="{}">{}</time>', on.isoformat(), formatting.format_date(on))


@register.filter
def clock_time(value: datetime | None) -> SafeString:
    """A <time> element that shows the hour and minute (UTC) of an aware time; empty for None."""
    if not value:
        return SafeString("")
    return format_html('<time datetime="{}">{} UTC</time>', iso(value), f"{value.astimezone(UTC):%H:%M}")


@register.filter
def shorten(value: object, length: int) -> str:
    """The text in at most `length` characters, cut at the border of a word."""
    return formatting.shorten(str(value), length)


@register.filter
def size(value: int | None) -> str:
    """Bytes in decimal units: 812 bytes, 517 kB, 84.2 MB; empty for None."""
    return "" if value is None else formatting.format_size(value)
