"""One-line summaries of log entries: the most useful part of an entry's detail, for people."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import ngettext

from archive import formatting
from archive.models import (
    ContentAccess,
    Feed,
    Notice,
    Participant,
    SigningKeyEvent,
    UploadSession,
    WebhookEndpoint,
)

Detail = dict[str, Any]
Summary = Callable[[Detail], str]


def nothing(detail: Detail) -> str:
    """No summary: the label says it all."""
    return ""


def deadline_set(detail: Detail) -> str:
    """The first deadline of a Space."""
    return _("kept until %(time)s") % {"time": _format_time(detail["deadline"])}


def recording_received(detail: Detail) -> str:
    """The size, and the length if it is already known (uploads are measured later)."""
    size = formatting.format_size(detail["size"])
    if "duration_ms" not in detail:
        return size
    return f"{size}, {formatting.format_duration(detail['duration_ms'] / 1000)}"


def upload_opened(detail: Detail) -> str:
    """The kind and size of the file."""
    return f"{UploadSession.Kind(detail['kind']).label}, {formatting.format_size(detail['size'])}"


def deadline_moved(detail: Detail) -> str:
    """The deadlines before and after."""
    times = {"before": _format_time(detail["before"]), "after": _format_time(detail["after"])}
    return _("from %(before)s to %(after)s") % times


FIELDS = {
    "title": _lazy("title"),
    "audience": _lazy("who could speak"),
    "started_at": _lazy("start"),
    "listeners_peak": _lazy("peak listeners"),
    "listeners_total": _lazy("total listeners"),
}


def edited_fields(detail: Detail) -> str:
    """The facts that were edited, by name."""
    return ", ".join(str(FIELDS.get(name, name)) for name in detail["fields"])


def participant_role(detail: Detail) -> str:
    """The role of a participant, after the change."""
    return str(Participant.Role(detail["role"]).label)


def transcript_edited(detail: Detail) -> str:
    """The number of the new version, and how many lines differ from the edited one."""
    lines = ngettext("%(count)d line", "%(count)d lines", detail["lines"]) % {"count": detail["lines"]}
    return _("version %(number)d: %(lines)s") % {"number": detail["number"], "lines": lines}


def rule_broken(detail: Detail) -> str:
    """The code of the rule."""
    return _("rule %(code)s") % {"code": detail["rule"]}


def account(detail: Detail) -> str:
    """The number of the account."""
    return _("account %(number)s") % {"number": detail["account"]}


def account_role(detail: Detail) -> str:
    """The number of the account, and the role."""
    return _("account %(number)s, role %(role)s") % {"number": detail["account"], "role": detail["role"]}


def account_factor(detail: Detail) -> str:
    """The number of the account, and the type of the second factor."""
    return _("account %(number)s, %(type)s") % {"number": detail["account"], "type": detail["type"]}


def rule_version(detail: Detail) -> str:
    """The code of the rule, and its version."""
    return _("rule %(code)s, version %(number)d") % {"code": detail["rule"], "number": detail["rule_version"]}


def notice_kind(detail: Detail) -> str:
    """The kind of the notice; the event's label says what happened to it."""
    return _("about: %(kind)s") % {"kind": Notice.Kind(detail["kind"]).label}


def hold_number(detail: Detail) -> str:
    """The number of the legal hold."""
    return _("legal hold no. %(number)s") % {"number": detail["hold"]}


def feed_kind(detail: Detail) -> str:
    """The kind of feed: calendar or podcast."""
    return str(Feed.Kind(detail["kind"]).label)


def webhook_events(detail: Detail) -> str:
    """The types of events that it gets."""
    return ", ".join(detail["events"])


WEBHOOK_FIELDS = {"name": _lazy("name"), "url": _lazy("address"), "events": _lazy("events")}


def webhook_fields(detail: Detail) -> str:
    """The changed fields, by name."""
    return ", ".join(str(WEBHOOK_FIELDS.get(name, name)) for name in detail["fields"])


def webhook_stop(detail: Detail) -> str:
    """The reason for the stop."""
    return str(WebhookEndpoint.Stop(detail["why"]).label)


def webhook_type(detail: Detail) -> str:
    """The type of the event."""
    return str(detail["type"])


ROLES = {
    "host": _lazy("as the host"),
    "admin": _lazy("as an admin"),
    "speaker": _lazy("as a speaker"),
    "recorder": _lazy("by a recorder"),
    "operator": _lazy("on the command line"),
}


def access(detail: Detail) -> str:
    """How content was accessed, and in which role."""
    kind = ContentAccess.Kind(detail["kind"]).label
    return _("%(kind)s, %(role)s") % {"kind": kind, "role": role_name(detail["role"])}


def access_role(detail: Detail) -> str:
    """The role in which content was accessed, for events whose label says how."""
    return role_name(detail["role"])


def role_name(role: str) -> str:
    """Return the name of a role in which content was accessed."""
    return str(ROLES.get(role, role))


EXPORTS = {
    "entries": _lazy("entries of the log"),
    "deletions": _lazy("deletions of a period"),
    "simulation": _lazy("what another retention rule would change"),
    "certificates": _lazy("certificates of deletion"),
}


def log_exported(detail: Detail) -> str:
    """What was downloaded, and in which format."""
    what = EXPORTS.get(detail["what"], detail["what"])
    return _("%(what)s, as %(format)s") % {"what": what, "format": detail["format"].upper()}


def size(detail: Detail) -> str:
    """The size of the result."""
    return formatting.format_size(detail["size"])


def spaces_checked(detail: Detail) -> str:
    """How many deleted Spaces were checked. A copy that was found has an entry of its own."""
    count = detail["spaces"]
    return ngettext("%(count)d deleted Space", "%(count)d deleted Spaces", count) % {"count": count}


def objects_listed(detail: Detail) -> str:
    """How many objects the store had."""
    count = detail["object_count"]
    return ngettext("%(count)d object", "%(count)d objects", count) % {"count": count}


def deletion_started(detail: Detail) -> str:
    """The deadline that had passed."""
    return _("deadline %(time)s") % {"time": _format_time(detail["deadline"])}


def space_deleted(detail: Detail) -> str:
    """How many objects were removed, and when the store was verified empty."""
    count, time = len(detail["removed"]), _format_time(detail["listed_empty_at"])
    sentence = ngettext(
        "%(count)d object deleted, storage confirmed empty at %(time)s",
        "%(count)d objects deleted, storage confirmed empty at %(time)s",
        count,
    )
    return sentence % {"count": count, "time": time}


def _format_time(text: str | None) -> str:
    return formatting.format_time(datetime.fromisoformat(text)) if text else _("no deadline")


def verdict(detail: Detail) -> str:
    """The result of a verification of the log, and how many entries it covers."""
    if detail["verdict"] == "log.verified":
        count = detail["count"]
        sentence = ngettext("%(count)s entry, nothing changed", "%(count)s entries, nothing changed", count)
        return sentence % {"count": count}
    return _("not valid: %(verdict)s") % {"verdict": detail["verdict"]}


def copy_size(detail: Detail) -> str:
    """The size of a checkpoint in the second bucket."""
    count = detail["size"]
    return ngettext("of %(count)d entry", "of %(count)d entries", count) % {"count": count}


def entries_restored(detail: Detail) -> str:
    """How many lost entries a restored database got back from the copy of the log."""
    count = detail["count"]
    return ngettext("%(count)d entry restored", "%(count)d entries restored", count) % {"count": count}


def signing_key(detail: Detail) -> str:
    """What the key signs, and the beginning of its id."""
    kind = SigningKeyEvent.Kind(detail["kind"]).label
    return _("%(kind)s, key %(id)s") % {"kind": kind, "id": detail["key"][:8]}
