"""Render the rows of lists of Spaces in Python. A list has a thousand values; a template needs a node for each, which
takes ten times as long."""

from collections.abc import Iterable
from html import escape
from typing import Any

from django import template
from django.template.defaulttags import CsrfTokenNode
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from archive.templatetags.archive_display import clock_attributes, clock_bar, deadline_sentence, dial, icon, iso
from portal.presenters.space_rows import Chip, SpaceRow
from portal.templatetags.spacekeep import short_time

register = template.Library()

ROW = """
<li data-space="{id}">
{choose}
<div class="about">
<h2><a href="{url}" dir="auto">{title}</a></h2>
<p class="meta" data-live><span class="facts-line">{facts}</span>{chips}</p>
</div>
{outline}
{clock}
{download}
</li>"""
# A Space to download together with others.
CHOOSE = (
    '<label class="choose"><input type="checkbox" form="choose" name="space" value="{id}" aria-label="{name}"></label>'
)
LENGTH = '<span><span class="unseen">{name} </span>{value}</span>'
SIZE = '<span class="size"><span class="unseen">{name} </span>{value}</span>'
OUTLINE = (
    '<svg class="outline" viewBox="0 -15 50 30" preserveAspectRatio="none" aria-hidden="true">'
    '<path id="o{number}" d="{path}"/><use href="#o{number}" transform="scale(1-1)"/></svg>'
)
# Like archive/parts/clock.html, but smaller.
CLOCK = """
<div data-live class="clock in-row {tone}" {attributes}>
<div class="clock-line">
{dial}
<span class="clock-words">{label}</span>
{date}
</div>
{bar}
</div>"""
WHY = """
<details class="why" data-closes data-hover>
<summary>{date}<span class="unseen">. {why}</span></summary>
<div>{sentence}<ul>{reasons}</ul></div>
</details>"""
# core/row-download.js shows the progress of a download here; without scripts, the page of the Space shows it.
DOWNLOAD = """
<form class="do" method="post" action="{url}" data-download>{csrf}<button type="submit" class="button"\
 aria-label="{name}" aria-describedby="d{number}">{icon}<span class="label">{word}</span></button></form>
<p class="small soft fetched" id="d{number}">{downloaded}</p>"""


@register.simple_tag(takes_context=True)
def space_rows(context: Any, rows: Iterable[SpaceRow], *, view: str, chooses: bool) -> SafeString:
    """Render the rows as list items. `view`: host, admin or auditor. `chooses`: served Spaces have a checkbox."""
    writer = _Writer(context, view, chooses)
    return SafeString("".join(map(writer.write, rows)))


class _Writer:
    """Values shared by all rows of a page: texts in the reader's language."""

    def __init__(self, context: Any, view: str, chooses: bool) -> None:
        self.context, self.view, self.chooses = context, view, chooses
        self.csrf = CsrfTokenNode().render(context)
        self.length, self.size = escape(_("Length:")), escape(_("Size:"))
        self.download, self.no_deadline = escape(_("Download")), escape(_("no deadline"))
        own = view == "host"  # only downloads of the host count
        self.downloaded = (
            _('Downloaded on <time datetime="%(at)s">%(day)s</time>')
            if own
            else _('Host downloaded <time datetime="%(at)s">%(day)s</time>')
        )

    def write(self, row: SpaceRow) -> str:
        return ROW.format(
            id=row.space.pk,
            choose=CHOOSE.format(id=row.space.pk, name=escape(row.choose)) if self.chooses and row.served else "",
            url=row.url,
            title=escape(row.title),
            facts=self._facts(row),
            chips="".join(map(self._chip, row.chips)),
            outline=OUTLINE.format(number=row.number, path=row.outline) if row.outline else "",
            clock=self._clock(row),
            download=self._download(row) if row.served else "",
        )

    def _facts(self, row: SpaceRow) -> str:
        host = f"<bdi>{escape(row.space.host.display_name)}</bdi>" if self.view != "host" else ""
        ended = f"<span>{short_time(row.space.ended_at)}</span>" if row.open or row.space.title else ""
        length = LENGTH.format(name=self.length, value=row.length) if row.length else ""
        return host + ended + length + (SIZE.format(name=self.size, value=row.size) if row.size else "")

    def _chip(self, chip: Chip) -> str:
        tone = f" {chip.tone}" if chip.tone else ""
        return f'<span class="chip{tone}">{icon(self.context, chip.icon)}<bdi>{escape(chip.text)}</bdi></span>'

    def _clock(self, row: SpaceRow) -> str:
        face = row.face
        return CLOCK.format(
            tone=face.tone,
            attributes=clock_attributes(face),
            dial=dial(face),
            label=escape(face.label),
            date=self._date(row),
            bar=clock_bar(face),
        )

    def _date(self, row: SpaceRow) -> str:
        face = row.face
        if face.reasons:
            return WHY.format(
                date=short_time(face.until) if face.until else self.no_deadline,
                why=escape(row.why),
                sentence=f'<p class="soft">{deadline_sentence(face)}</p>' if face.until else "",
                reasons="".join(f"<li>{escape(reason)}</li>" for reason in face.reasons),
            )
        return f'<span class="when">{short_time(face.until)}</span>' if face.until else ""

    def _download(self, row: SpaceRow) -> str:
        return DOWNLOAD.format(
            url=row.download_url,
            csrf=self.csrf,
            name=escape(row.download),
            number=row.number,
            icon=icon(self.context, "download"),
            word=self.download,
            downloaded=self._downloaded(row),
        )

    def _downloaded(self, row: SpaceRow) -> str:
        if not row.downloaded_at:
            return ""
        day = date_format(timezone.localtime(row.downloaded_at), "j M")
        return self.downloaded % {"at": iso(row.downloaded_at), "day": escape(day)}
