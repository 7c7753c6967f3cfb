"""Render the rows of long lists in Python, because a template needs a node for each value."""

from collections.abc import Iterable
from html import escape
from typing import Any

from django import template
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from archive.templatetags.archive_display import exact_moment, icon
from portal.addresses import SpaceAddresses
from portal.presenters.log import LogLine
from portal.presenters.log_filters import EventChoice

register = template.Library()


@register.simple_tag
def event_tick(choice: EventChoice, prefix: str) -> SafeString:
    """Render the checkbox of a group or an event in the filters of the log. `prefix`: of its id."""
    code, checked = escape(choice.code), " checked" if choice.chosen else ""
    return SafeString(
        f'<p class="tick"><input type="checkbox" id="{prefix}-{code}" name="event" value="{code}"{checked}>'
        f'<label for="{prefix}-{code}">{escape(choice.label)}</label></p>'
    )


ENTRY = (
    '<tr role="row" id="entry-{number}"><td role="cell" class="small number">{named}</td>'
    '<td role="cell" class="small nowrap">{at}</td>'
    '<td role="cell" class="whole first"><span class="event">{icon} {label}</span></td>'
    '<td role="cell">{space}</td><td role="cell"><bdi>{actor}</bdi></td>'
    '<td role="cell" class="small whole">{summary}</td></tr>'
)


@register.simple_tag(takes_context=True)
def entry_rows(context: Any, entries: Iterable[LogLine]) -> SafeString:
    """Render the rows of a table of log entries."""
    addresses = SpaceAddresses("log-space")
    labels: dict[str, str] = {}
    named = _('<span class="lead-word">entry </span>%(number)s')  # the label is for narrow screens
    rows = [
        ENTRY.format(
            number=entry.number,
            named=named % {"number": entry.number},
            at=exact_moment(entry.at),
            icon=icon(context, entry.icon),
            label=labels.get(entry.event) or labels.setdefault(entry.event, escape(str(entry.label))),
            space=_space_link(entry.space_id, addresses) if entry.space_id else "",
            actor=escape(entry.actor),
            summary=escape(entry.summary),
        )
        for entry in entries
    ]
    return SafeString("\n".join(rows))


def _space_link(space_id: object, addresses: SpaceAddresses) -> str:
    return f'<a class="space" href="{addresses.of(space_id)}" title="{space_id}">{str(space_id)[:8]}</a>'
