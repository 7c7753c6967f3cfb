"""Template filters that format times, sizes and counts, and a tag for the language of a page."""

from datetime import UTC, datetime

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from archive import formatting

register = template.Library()


@register.simple_tag
def page_language() -> str:
    """The language of the page, for the attribute `lang`. English is `en`, of whatever country."""
    language = get_language() or "en"
    return "en" if language.partition("-")[0] == "en" else language


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
def size(value: int | None) -> str:
    """Bytes in decimal units: 812 bytes, 517 kB, 84.2 MB; empty for None."""
    return "" if value is None else formatting.format_size(value)
