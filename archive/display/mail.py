"""Render a notice as e-mail, from the rows at send time."""

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _

from archive import formatting
from archive.display.flag_details import FlagDetails, find_flag_details
from archive.models import Notice

Kind = Notice.Kind

MAX_TITLE = 60  # characters in a subject
# Bidirectional controls: they reverse the text after them.
BIDI_CONTROLS = {chr(code) for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))}


@dataclass(frozen=True)
class Attachment:
    """A plain text file attached to a mail."""

    name: str
    text: str


@dataclass(frozen=True)
class MailMessage:
    """A mail's subject (one line), and its body as plain text and as HTML ("" for none). If there is an attachment, no
    mail server may change a byte of it or of the body: both are sent in base64."""

    subject: str
    text: str
    html: str
    attachment: Attachment | None = None


@dataclass(frozen=True)
class Fact:
    """A row of the table in a mail. `more`: the same time in the reader's zone, if known. `note`: a line below. `url`:
    of the page that the label links to."""

    label: str
    value: str
    more: str = ""
    note: str = ""
    url: str = ""


def render_mail(notice: Any) -> MailMessage:
    """Render a notice that has the annotations of notices.validity and is still valid.

    A mail about a deleted Space contains only what its tombstone has.
    """
    space, kind = notice.space, Kind(notice.kind)
    flag = find_flag_details([notice]).get(notice.pk)
    context = {
        **site_context(),
        "kind": notice.kind,
        "space": space,
        "space_url": site_url("space", space.pk),
        "rules_url": site_url("house-rules"),
        "title": clean_line(str(space)),
        "flag": flag,
        "appeal_until": _utc(flag.appeal_until) if flag and flag.appeal_until else "",
        "facts": _facts(notice, kind, flag),
    }
    subject = str(kind.details.subject).format(
        title=formatting.shorten(context["title"], MAX_TITLE),
        deadline_day=_day(space.expires_at),
        ended_day=_day(space.ended_at),
    )
    return render_message(notice.kind, subject, context)


def render_message(template: str, subject: str, context: dict[str, Any]) -> MailMessage:
    """Render the template with this name, as text and as HTML."""
    return MailMessage(
        subject,
        render_to_string(f"archive/mail/{template}.txt", context).strip() + "\n",
        render_to_string(f"archive/mail/{template}.html", {**context, "subject": subject}),
    )


def site_context() -> dict[str, Any]:
    """Return the context for the footer of each mail to an account."""
    return {"site": settings.SITE_URL, "account_url": f"{site_url('account')}#mail"}


def site_url(name: str, *args: object) -> str:
    """Return the address of a page of the site."""
    return settings.SITE_URL + reverse(name, args=args)


def clean_line(text: str) -> str:
    """Return the text on one line, without control characters, so that a title can't break a header or other text."""
    one_line = " ".join(text.split())
    return "".join(c for c in one_line if unicodedata.category(c) != "Cc" and c not in BIDI_CONTROLS)


def _facts(notice: Any, kind: Kind, flag: FlagDetails | None) -> list[Fact]:
    space, zone = notice.space, notice.user.time_zone
    if kind == Kind.DELETED:
        return [
            time_fact(_("Ended"), space.ended_at, zone),
            time_fact(_("Deleted"), space.deleted_at, zone),
            Fact(_("Space id"), str(space.pk)),
        ]
    facts = [Fact(_("Size"), formatting.format_size(notice.bundle_size))] if kind == Kind.BUNDLE_READY else []
    facts.append(time_fact(_("Kept until"), space.expires_at, zone))
    if flag and flag.before:
        facts.append(time_fact(_("Previously kept until"), flag.before, zone))
    if flag and flag.appeal_until:
        facts.append(time_fact(_("You can appeal until"), flag.appeal_until, zone))
    return facts


def time_fact(label: str, value: datetime | None, zone: str) -> Fact:
    """Format a time in UTC and in the reader's zone; None is the deadline of a Space on hold."""
    return Fact(label, _utc(value), formatting.format_local_time(value, zone) if value else "")


def _utc(value: datetime | None) -> str:
    return formatting.format_time(value) if value else _("the hold is released")


def _day(value: datetime | None) -> str:
    return formatting.format_day(value) if value else ""
