"""Render the weekly digest of one user as e-mail: the notices of the week, and the next deletions."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from archive import formatting
from archive.display.flag_details import FlagDetails, find_flag_details
from archive.display.mail import Fact, MailMessage, clean_line, render_message, site_context, site_url, time_fact
from archive.display.reminder_mail import render_downloaded
from archive.models import Space, User
from archive.models.notice_kinds import NoticeKind


def render_digest(
    user: User, notices: Sequence[Any], spaces: Sequence[Space], downloads: Mapping[UUID, datetime]
) -> MailMessage:
    """Render a digest. `notices` have the annotations of archive/notices/validity.py. `spaces` will be deleted within a
    week."""
    flags = find_flag_details(notices)
    context = {
        **site_context(),
        "notices": [_notice_fact(notice, flags.get(notice.pk), user.time_zone) for notice in notices],
        "spaces": [_space_fact(space, downloads.get(space.pk), user.time_zone) for space in spaces],
        "notices_url": site_url("notices"),
    }
    return render_message("digest", _("Your week at Spacekeep"), context)


def _notice_fact(notice: Any, flag: FlagDetails | None, zone: str) -> Fact:
    space = notice.space
    label = str(NoticeKind(notice.kind).details.subject).format(
        title=clean_line(str(space)),
        deadline_day=formatting.format_day(space.expires_at) if space.expires_at else "",
        ended_day=formatting.format_day(space.ended_at),
    )
    at = time_fact(label, notice.created_at, zone)
    url = site_url("space", space.pk)
    if flag and flag.may_appeal:
        until = formatting.format_time(flag.appeal_until) if flag.appeal_until else ""
        note = _("You can appeal until {time}.").format(time=until) if until else _("You can appeal.")
        return Fact(label, at.value, at.more, note, f"{url}#appeal-{flag.violation_id}")
    return Fact(label, at.value, at.more, "", url)


def _space_fact(space: Space, downloaded_at: datetime | None, zone: str) -> Fact:
    until = time_fact("", space.expires_at, zone)
    url = f"{site_url('space', space.pk)}#bundle"
    return Fact(clean_line(str(space)), until.value, until.more, render_downloaded(downloaded_at), url)
