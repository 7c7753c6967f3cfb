"""Render a notice as e-mail, from the rows as they are when it is sent."""

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _

from archive import formatting
from archive.log import events
from archive.models import LogEntry, Notice, Violation

Kind = Notice.Kind

MOVING = (events.VIOLATION_FLAGGED, events.VIOLATION_LIFTED, events.DEADLINE_MOVED)
MAX_TITLE = 60  # characters in a subject
# Bidirectional controls: they reverse the text after them.
BIDI_CONTROLS = {chr(code) for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))}


@dataclass(frozen=True)
class MailMessage:
    """A mail's subject (one line), and its body as plain text and as HTML."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True)
class Fact:
    """A row of the table in a mail. `more`: the same time in the reader's zone, if that is known."""

    label: str
    value: str
    more: str = ""


def render_mail(notice: Any) -> MailMessage:
    """`notice` has the annotations of notices.validity and is still valid.

    A mail about a deleted Space contains only what its tombstone has.
    """
    space, kind = notice.space, Kind(notice.kind)
    violation = _violation(notice)
    context = {
        "site": settings.SITE_URL,
        "kind": notice.kind,
        "space": space,
        "space_url": settings.SITE_URL + reverse("space", args=[space.pk]),
        "title": clean_line(str(space)),
        "rules": _rules(violation),
        "reason": violation.lift_reason if violation and kind == Kind.LIFTED else violation.reason if violation else "",
        "facts": _facts(notice, kind),
        "until": _utc(space.expires_at),
    }
    subject = str(kind.details.subject).format(
        title=shorten(context["title"], MAX_TITLE),
        deadline_day=_day(space.expires_at),
        ended_day=_day(space.ended_at),
    )
    return MailMessage(
        subject,
        render_to_string(f"archive/mail/{notice.kind}.txt", context).strip() + "\n",
        render_to_string(f"archive/mail/{notice.kind}.html", {**context, "subject": subject}),
    )


def clean_line(text: str) -> str:
    """The text on one line, without control characters, so that a title can't break a header or the text around it."""
    one_line = " ".join(text.split())
    return "".join(c for c in one_line if unicodedata.category(c) != "Cc" and c not in BIDI_CONTROLS)


def shorten(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1].rstrip()}…"


def _facts(notice: Any, kind: Kind) -> list[Fact]:
    space, zone = notice.space, notice.user.time_zone
    if kind == Kind.DELETED:
        return [
            _time(_("Ended"), space.ended_at, zone),
            _time(_("Deleted"), space.deleted_at, zone),
            Fact(_("Its id"), str(space.pk)),
        ]
    facts = [Fact(_("Size"), formatting.format_size(notice.bundle_size))] if kind == Kind.BUNDLE_READY else []
    facts.append(_time(_("Kept until"), space.expires_at, zone))
    if before := _moved_from(notice, kind):
        facts.append(_time(_("Before that"), before, zone))
    return facts


def _time(label: str, value: datetime | None, zone: str) -> Fact:
    return Fact(label, _utc(value), formatting.format_local_time(value, zone) if value else "")


def _utc(value: datetime | None) -> str:
    return formatting.format_time(value) if value else _("the hold is released")


def _day(value: datetime | None) -> str:
    return formatting.format_day(value) if value else ""


def _violation(notice: Notice) -> Violation | None:
    if notice.kind not in (Kind.FLAGGED, Kind.LIFTED, Kind.APPEAL_DENIED):
        return None
    return Violation.objects.select_related("rule").filter(space=notice.space_id, pk=int(notice.subject_id)).first()


def _rules(violation: Violation | None) -> str:
    """The rule of the violation; for a lifted one, the rules of all that were lifted with it."""
    if violation is None:
        return ""
    if violation.lifted_at is None:
        return violation.rule.name
    lifted = Violation.objects.filter(space=violation.space_id, lifted_at=violation.lifted_at)
    return ", ".join(dict.fromkeys(lifted.order_by("pk").values_list("rule__name", flat=True)))


def _moved_from(notice: Notice, kind: Kind) -> datetime | None:
    """The deadline before the flag or the lift moved it; None if it did not move.

    The log has the move directly after its cause, since one transaction wrote both while it had the Space locked.
    """
    event, reason = kind.details.event, kind.details.reason
    if reason is None:
        return None
    entries = LogEntry.objects.filter(space_id=notice.space_id).order_by("id")
    ids = [notice.subject_id, int(notice.subject_id)]
    cause = entries.filter(event=event, detail__violation__in=ids).last()
    after = entries.filter(id__gt=cause.id, event__in=MOVING).first() if cause else None
    if after is None or after.event != events.DEADLINE_MOVED or reason not in after.detail["deadline_reasons"]:
        return None
    before: str | None = after.detail["before"]
    return datetime.fromisoformat(before) if before else None
