"""Groups of events, by which people filter the log: "deletions", "played, by anyone".

A group lists names of events. `content.accessed_by_admin` is the event of every access by an admin, so a group can
restrict it to one kind of access: an admin who plays a recording belongs to "played", like everybody else.
"""

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from archive.log import events
from archive.log.events import EVENTS, Event

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


@dataclass(frozen=True)
class Choice:
    """The entries of an event; with `kind`, only those of this kind of access."""

    event: str
    kind: str | None = None


@dataclass(frozen=True)
class Group:
    label: "StrOrPromise"
    choices: tuple[Choice, ...]


def _starting(*prefixes: str, without: tuple[Event, ...] = ()) -> tuple[Choice, ...]:
    if unused := [prefix for prefix in prefixes if not any(name.startswith(prefix) for name in EVENTS)]:
        raise ValueError(f"no event starts with {unused}")
    return tuple(Choice(name) for name in EVENTS if name.startswith(prefixes) and name not in without)


def _access(event: Event, kind: str) -> tuple[Choice, ...]:
    return Choice(event), Choice(events.CONTENT_ACCESSED_BY_ADMIN, kind)


# A code has no dot and an event's name has one, so the same filter takes both.
GROUPS = {
    "decisions": Group(
        _("Decisions: flags, appeals, holds, reviews"),
        (
            *_starting("violation.", "appeal.", "hold."),
            *(Choice(event) for event in (events.SPACE_REVIEWED, events.SPACE_REVIEW_UNDONE, events.DEADLINE_MOVED)),
        ),
    ),
    "deletions": Group(
        _("Deletions and checks of the storage"),
        (
            *_starting("deletion.", "inbox.", "reconcile.", "object."),
            *(Choice(event) for event in (events.SPACE_DELETED, events.ARRIVAL_SOURCE_REMOVED)),
        ),
    ),
    "played": Group(_("Played, by anyone"), _access(events.CONTENT_PLAYED, "played")),
    "read": Group(_("Transcript read, by anyone"), _access(events.CONTENT_READ, "read")),
    "found": Group(_("Found by a search, by anyone"), _access(events.CONTENT_FOUND, "found")),
    "downloaded": Group(_("Downloaded, by anyone"), _access(events.CONTENT_DOWNLOADED, "downloaded")),
    "accessed": Group(_("Any access to content, by anyone"), tuple(Choice(event) for event in events.CONTENT_ISSUED)),
    "uploads": Group(
        _("Uploads and transcripts"),
        (
            *_starting("upload.", "arrival.", "transcription.", without=(events.ARRIVAL_SOURCE_REMOVED,)),
            *(Choice(event) for event in (events.SPACE_REGISTERED, events.SPACE_RECEIVED, events.SPACE_AVAILABLE)),
            *(Choice(event) for event in (events.SPACE_REJECTED, events.TRANSCRIPT_ADDED)),
        ),
    ),
    "edits": Group(
        _("Edits by hosts"),
        (*_starting("participant."), Choice(events.SPACE_EDITED), Choice(events.TRANSCRIPT_EDITED)),
    ),
    "bundles": Group(_("Bundles, exports and feeds"), _starting("bundle.", "export.", "export_part.", "feed.")),
    "notices": Group(_("Notices and e-mails"), _starting("notice.", "digest.", "checkpoint_mail.", "account_mail.")),
    "accounts": Group(_("Accounts, invitations and tokens"), _starting("account.", "invitation.", "token.")),
    "webhooks": Group(_("Webhooks and their deliveries"), _starting("webhook.")),
    "rules": Group(_("Rules and reason templates"), _starting("rule.", "reason_template.")),
    "log": Group(_("Keys, exports and checks of the log"), _starting("log.")),
}
DEFAULT = ("decisions", "deletions")  # the first view of auditors


def choices_of(name: str) -> tuple[Choice, ...]:
    """Return the entries selected by a group's code or an event's name. Raises KeyError for anything else."""
    if name in GROUPS:
        return GROUPS[name].choices
    return (Choice(EVENTS[name]),)


@cache
def group_of(event: str) -> str:
    """Return the code of the first group that has every entry of the event; "log" without one."""
    return next((code for code, group in GROUPS.items() if Choice(event) in group.choices), "log")
