"""Render the reminders of one host as one e-mail: which Spaces will be deleted soon, and which ones were downloaded."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from archive import dbtime, formatting
from archive.display.mail import (
    MAX_TITLE,
    Fact,
    MailMessage,
    clean_line,
    render_message,
    site_context,
    site_url,
    time_fact,
)
from archive.models.notice_kinds import NoticeKind


def render_reminders(notices: Sequence[Any], downloads: Mapping[UUID, datetime]) -> MailMessage:
    """Render a mail with one or more reminders of a user. `notices`: still valid, the nearest deadline first.
    `downloads`: when the host downloaded each Space, without those never downloaded.

    The mail gives the actual time left, since a Space may have been uploaded long after it ended."""
    first, count = notices[0], len(notices)
    left = formatting.format_time_left(first.space.expires_at - dbtime.now())
    title = clean_line(str(first.space))
    urgent = any(notice.kind == NoticeKind.DUE_1_DAY for notice in notices)
    context = {
        **site_context(),
        "tone": "urgent" if urgent else "soon",
        "heading": left if count == 1 else _("{time_left} for the first one").format(time_left=left),
        "count": count,
        "title": title,
        "space_url": site_url("space", first.space_id),
        "due_url": f"{site_url('spaces')}?filter=due",
        "until": formatting.format_time(first.space.expires_at),
        "downloaded": render_downloaded(downloads.get(first.space_id)),
        "facts": [_fact(notice, downloads, count) for notice in notices],
    }
    return render_message("reminder", _subject(first, count, urgent=urgent), context)


def _subject(first: Any, count: int, *, urgent: bool) -> str:
    title = formatting.shorten(clean_line(str(first.space)), MAX_TITLE)
    if count == 1 or urgent:
        text = str(NoticeKind(first.kind).details.subject).format(
            title=title, deadline_day=formatting.format_day(first.space.expires_at)
        )
        more = ngettext("{subject} and {count} more", "{subject} and {count} more", count - 1)
        return text if count == 1 else more.format(subject=text, count=count - 1)
    return ngettext(
        "{count} Space will be deleted within 7 days", "{count} Spaces will be deleted within 7 days", count
    ).format(count=count)


def _fact(notice: Any, downloads: Mapping[UUID, datetime], count: int) -> Fact:
    until = time_fact(_("Kept until"), notice.space.expires_at, notice.user.time_zone)
    if count == 1:
        return until
    title = clean_line(str(notice.space))
    note = render_downloaded(downloads.get(notice.space_id))
    return Fact(title, until.value, until.more, note, f"{site_url('space', notice.space_id)}#bundle")


def render_downloaded(at: datetime | None) -> str:
    """Return a sentence that says whether the host has downloaded the Space."""
    if at is None:
        return _("You have not downloaded this one yet.")
    return _("You downloaded it on {time}.").format(time=formatting.format_time(at))
