"""Render the rows of the moderation queue in Python, for the reason given in space_rows.py."""

from html import escape
from typing import Any

from django import template
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from archive.display.clock import ClockFace
from archive.templatetags.archive_display import (
    clock_attributes,
    clock_change,
    clock_time,
    deadline_sentence,
    dial,
    icon,
    moment,
    utc_title,
)
from portal.addresses import SpaceAddresses
from portal.presenters.moderation_queue import Queue, Row

register = template.Library()

ROW = """
<li>
<input type="checkbox" name="space" value="{id}"{flagged}{disabled} aria-label="{select}">
<div>
<h2><a href="{url}" dir="auto">{title}</a></h2>
<p class="meta"><a href="{host_url}"><bdi>{host}</bdi></a><span>{ended}</span>{facts}{state}</p>
{lines}
</div>
{clock}
</li>"""
# Like archive/parts/clock.html; tests/test_space_rows.py compares them.
CLOCK = """
<div class="clock {tone}" {attributes}>
<div class="clock-line">
{dial}
<span class="clock-words">{label}</span>
{why}
</div>
<svg class="bar" width="100%" height="16" role="img" aria-label="{bar_label}">
<rect class="rest" x="0" y="4" width="100%" height="8" rx="4"/>
<rect class="past" x="0" y="4" width="{percent:.2f}%" height="8" rx="4"/>
{marks}{now}
</svg>
<p class="clock-when">{sentence}</p>
{over_sentence}{zone}
</div>"""
WHY = """
<details class="why" data-closes data-hover>
<summary>{question}<span class="unseen"> {name}</span></summary>
<div><ul>{reasons}</ul>{change}</div>
</details>"""
MARK = '<line class="mark" x1="{percent:.2f}%" x2="{percent:.2f}%" y1="1" y2="15"/>'
NOW = '<circle class="now" cx="{percent:.2f}%" cy="8" r="6"/>'


@register.simple_tag(takes_context=True)
def queue_rows(context: Any, queue: Queue, base: str) -> SafeString:
    """Render the rows of a page of the queue, as list items. `base`: the URL of the queue."""
    writer = _Writer(context, queue, base)
    return SafeString("".join(map(writer.write, queue.rows)))


class _Writer:
    """Values shared by all rows of a page: URLs, and texts in the reader's language."""

    def __init__(self, context: Any, queue: Queue, base: str) -> None:
        self.context, self.asked = context, queue.asked
        self.query = f"?{escape(queue.asked)}" if queue.asked else ""
        self.addresses = SpaceAddresses("moderate")
        self.host_url = f"{base}?tab={queue.selection.tab}&amp;host="
        self.select = _("Select %(space)s")
        self.length, self.listeners = escape(_("Length:")), _("%(listened)s listeners")

    def write(self, row: Row) -> str:
        space = row.space
        title, url = escape(str(space)), self.addresses.of(space.pk)
        return ROW.format(
            id=space.pk,
            flagged=" data-flagged" if row.standing else "",
            disabled=f' disabled title="{escape(str(row.conflict))}"' if row.conflict else "",
            select=self.select % {"space": title},
            url=url + self.query,
            title=title,
            host_url=f"{self.host_url}{space.host_id}",
            host=escape(space.host.display_name),
            ended=moment(space.ended_at),
            facts=self._facts(row),
            state="".join(self._states(row)),
            lines=self._lines(row, url) if row.lines else "",
            clock=draw_clock(row.face, title),
        )

    def _facts(self, row: Row) -> str:
        length = f'<span><span class="unseen">{self.length} </span>{row.length}</span>' if row.length else ""
        return length + (f"<span>{self.listeners % {'listened': row.listened}}</span>" if row.listened else "")

    def _states(self, row: Row) -> list[str]:
        """Render the state of the review."""
        space, states = row.space, []
        if row.claim:
            values = {"name": escape(row.claim.admin.display_name), "since": clock_time(row.claim.claimed_at)}
            claimed = _("Being reviewed by <bdi>%(name)s</bdi> since %(since)s") % values
            states.append(self._chip("soon", "person", claimed))
        if not space.expires_at:
            states.append(self._chip("kept", "lock", escape(_("On hold"))))
        if row.standing:
            flags = ngettext("%(count)s flag", "%(count)s flags", row.standing) % {"count": row.standing}
            states.append(self._chip("kept", "flag", escape(flags)))
        elif row.lifted:
            states.append(self._chip("calm", "info", escape(_("No active flag"))))
        elif space.reviewed_at:
            states.append(self._chip("calm", "check", escape(_("No violation"))))
        if space.reviewed_at and space.reviewed_by:
            # The last admin who flagged it has reviewed it.
            is_flagged = row.standing or row.lifted
            by = (
                _("Flagged by <bdi>%(name)s</bdi>, %(at)s")
                if is_flagged
                else _("Reviewed by <bdi>%(name)s</bdi>, %(at)s")
            )
            values = {"name": escape(space.reviewed_by.display_name), "at": moment(space.reviewed_at)}
            states.append(f"<span>{by % values}</span>")
        return states

    def _chip(self, tone: str, icon_name: str, text: str) -> str:
        return f'<span class="chip {tone}">{icon(self.context, icon_name)}{text}</span>'

    def _lines(self, row: Row, url: str) -> str:
        return render_to_string("moderation/lines.html", {"lines": row.lines, "url": url, "asked": self.asked})


def draw_clock(face: ClockFace, name: str) -> str:
    """Render the clock of a row. `name` is the escaped name of the Space."""
    is_zone_unknown = face.until and not utc_title(face.until)
    return CLOCK.format(
        tone=face.tone,
        attributes=clock_attributes(face),
        dial=dial(face),
        label=escape(face.label),
        why=_why(face, name) if face.reasons and face.until else "",
        bar_label=escape(face.bar_label),
        percent=face.percent,
        marks="".join(MARK.format(percent=mark.percent) for mark in face.marks),
        now=NOW.format(percent=face.percent) if face.until else "",
        sentence=deadline_sentence(face),
        over_sentence=f'<p class="clock-when clock-over">{escape(str(face.over_sentence))}</p>' if face.over else "",
        zone='<p class="clock-zone"></p>' if is_zone_unknown else "",
    )


def _why(face: ClockFace, name: str) -> str:
    change = clock_change(face.ended_at, face.until) if face.until else ""
    return WHY.format(
        question=escape(_("Why this date?")),
        name=name,
        reasons="".join(f"<li>{escape(reason)}</li>" for reason in face.reasons),
        change=f'<p class="soft">{escape(change)}</p>' if change else "",
    )
