"""How times, sizes and lengths read on pages. Plain functions, registered as template filters."""

from datetime import UTC, datetime
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from archive import formatting
from archive.display.deadline_reasons import format_days
from archive.models import User, current_policy
from archive.notices import visible_notices
from portal.access import spaces_spoken_in

register = template.Library()


@register.simple_tag
def retention_policy() -> str:
    """The retention rule in one sentence, with the numbers that are in force."""
    rule = current_policy()
    return (
        f"Recordings are kept {format_days(rule.retention_days)} after a Space ended; "
        f"{rule.violation_extra_days} more if it broke a rule. Then every copy is deleted."
    )


@register.simple_tag
def has_own_lines(user: User) -> bool:
    """Whether there are words of this user to take along."""
    return spaces_spoken_in(user).exists()


NOTES = 3  # that stand on a page; the others are counted, up to a hundred


@register.simple_tag
def open_notices(user: User) -> dict[str, Any]:
    """What this user was told and has not put away: the newest, and how many more there are. One query."""
    unseen = list(visible_notices(user).filter(dismissed_at=None).order_by("-created_at", "-id")[:100])
    return {"rows": unseen[:NOTES], "more": len(unseen) - NOTES, "many": len(unseen) == 100}


@register.filter
def moment(value: datetime | None) -> SafeString:
    """An aware time as a <time> element that says it in UTC; nothing for None."""
    if not value:
        return SafeString("")
    return format_html('<time datetime="{}">{}</time>', iso(value), formatting.format_time(value))


@register.filter
def iso(value: datetime | None) -> str:
    """An aware time as scripts read it: 2026-12-22T14:05:00Z, UTC, whole seconds; nothing for None."""
    return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if value else ""


@register.filter
def size(value: int | None) -> str:
    """Bytes as people say them, in decimal units: 812 bytes, 517 kB, 84.2 MB; nothing for None."""
    return "" if value is None else formatting.format_size(value)


@register.filter
def things(value: int, thing: str) -> str:
    """1 Space, 3 Spaces."""
    return formatting.format_count(value, thing)


@register.filter
def clocktime(value: float | None) -> str:
    """Seconds as a player shows them: 0:12, 12:34, 1:03:46; nothing for None."""
    return "" if value is None else formatting.format_duration(value)
