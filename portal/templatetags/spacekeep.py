"""Template tags of the site: the retention policy, open notices.

Filters for times, sizes and counts are in archive_display.
"""

import re
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from allauth.account.internal.flows.reauthentication import is_reauthentication_required
from django import template
from django.contrib.messages.storage.base import Message
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from archive import formatting, notices, policy
from archive.display.clock import ClockFace
from archive.display.deadline_reasons import format_days
from archive.display.violations import FlagView
from archive.models import Notice, Space, User, current_policy
from archive.notices.open import MAX_COUNTED, Banner, BannerKind
from archive.status.counts import format_counted
from archive.templatetags.archive_display import iso, open_deadline, time_element, utc_title
from portal.access import has_spoken, may_see_status
from portal.addresses import address_of
from portal.presenters import live
from portal.reauthentication import describe_stored_post, list_stored_texts
from portal.request_ids import current_id
from portal.section_messages import section_of
from portal.static_modules import imported_modules
from portal.submissions import FIELD
from portal.undoable import undo_url_of

register = template.Library()

CODE = re.compile(r"`([^`]+)`")
LISTS = {BannerKind.DUE: "due", BannerKind.FLAGGED: "flagged"}  # the filter of the list that has all of them


@register.simple_tag
def address(name: str) -> str:
    """Like `url`, but cached in the process: for pages without parameters that every page links to."""
    return address_of(name)


@register.filter
def counted(count: int) -> str:
    """Format a count of the status page, with "or more" at the counting limit."""
    return format_counted(count)


@register.simple_tag
def retention_policy() -> str:
    """Return the retention policy in one sentence, with the current numbers."""
    rule = current_policy()
    sentence = _(
        "Recordings are kept {days} after a Space ended, {more} longer if flagged. Then every copy is deleted."
    )
    return sentence.format(days=format_days(rule.retention_days), more=format_days(rule.violation_extra_days))


@register.simple_tag
def request_id() -> str:
    """The id of this request, for error pages (portal/request_ids.py)."""
    return current_id()


@register.simple_tag
def lift_grace() -> str:
    """Return how long a Space is kept at least after its flag was lifted: "7 days"."""
    return str(format_days(current_policy().lift_grace_days))


@register.simple_tag
def deletion_minutes() -> int:
    """Return the number of minutes after its deadline within which every copy of a Space is deleted."""
    return policy.MAX_DELETION_DELAY // timedelta(minutes=1)


@register.simple_tag
@cache
def module_preloads(*entries: str) -> SafeString:
    """Render links that load all modules of these scripts at once (portal/static_modules.py). Cached in the process."""
    names = dict.fromkeys(name for entry in entries for name in imported_modules(entry))
    return format_html_join("", '<link rel="modulepreload" href="{}">', ([static(name)] for name in names))


@register.inclusion_tag("messages.html", takes_context=True)
def messages_of(context: Any, section: str, *, stays: bool = False) -> dict[str, Any]:
    """The messages of a section (section_messages.py); "": those of the page, at its top. `stays`: at the lower edge of
    the window while the section is in sight."""
    _shown_sections(context).add(section)
    shown = [message for message in context.get("messages") or () if section_of(message) == section]
    return {"shown": shown, "stays": stays}


@register.inclusion_tag("messages.html", takes_context=True)
def messages_of_other_sections(context: Any) -> dict[str, Any]:
    """Return the messages of sections that this page lacks, for the end of the page, so that no message is lost."""
    shown = _shown_sections(context)
    rest = [message for message in context.get("messages") or () if section_of(message) not in shown]
    return {"shown": rest, "stays": True}


def _shown_sections(context: Any) -> set[str]:
    """Return the sections rendered so far. An error page may have no request, and then no messages."""
    request = context.get("request")
    if request is None:
        return set()
    if not hasattr(request, "shown_sections"):
        request.shown_sections = set()
    sections: set[str] = request.shown_sections
    return sections


@register.filter
def undo_url(message: Message) -> str:
    """Return the URL of the undo button of a message; "" if there is none."""
    return undo_url_of(message)


@register.filter
def with_code(text: str) -> SafeString:
    """Escape the text, and render text between backticks as code."""
    return SafeString(CODE.sub(r"<code>\1</code>", escape(text)))


@register.simple_tag
def submission_key() -> SafeString:
    """Render a hidden input that identifies this form, so that sending it twice takes effect once."""
    return format_html('<input type="hidden" name="{}" value="{}">', FIELD, secrets.token_hex(16))


@register.simple_tag(takes_context=True)
def asks_to_confirm(context: Any) -> bool:
    """Whether the next irreversible action will ask for the password or a second factor (reauthentication.py)."""
    request = context["request"]
    if not hasattr(request, "asks_to_confirm"):  # cached: several forms of a page call this
        request.asks_to_confirm = is_reauthentication_required(request, app="portal")
    return bool(request.asks_to_confirm)


@register.simple_tag(takes_context=True)
def stored_post(context: Any) -> str:
    """Return the sentence about the action that waits for the confirmation."""
    return describe_stored_post(context["request"])


@register.simple_tag(takes_context=True)
def stored_texts(context: Any) -> list[tuple[str, str]]:
    """Return labels and texts of the form that waits."""
    return list_stored_texts(context["request"])


@register.simple_tag
def shows_utc() -> bool:
    """Whether the reader chose to see all times in UTC."""
    return formatting.shows_utc.get()


@register.simple_tag
def sees_status(user: User) -> bool:
    """Whether this user may see the status page."""
    return may_see_status(user)


@register.simple_tag
def has_own_lines(user: User) -> bool:
    """Whether a served transcript may have lines of this user."""
    return has_spoken(user)


@register.simple_tag
def open_notice_count(user: User) -> dict[str, Any]:
    """Return the number of this user's open notices: as a number, and as the bell shows it ("99+")."""
    count = notices.count_open(user)
    return {"count": count, "text": f"{MAX_COUNTED}+" if count > MAX_COUNTED else str(count)}


@register.simple_tag(takes_context=True)
def banner(context: dict[str, Any]) -> Banner | None:
    """Return the banner of this page, if anything is urgent: never on the page of the same Space, or on the list that
    it would lead to."""
    match = context["request"].resolver_match
    urgent = notices.find_banner(context["user"], but_not=match.kwargs.get("space_id") if match else None)
    shown = LISTS.get(urgent.kind) if urgent else None
    is_there = match and match.url_name == "spaces" and context["request"].GET.get("filter") == shown
    return None if urgent and urgent.number > 1 and is_there else urgent


@register.simple_tag
def list_version(rows: Iterable[Any]) -> str:
    """Return the version of the rows of a list (SpaceRow), which open pages compare with the one from /state."""
    return live.version(live.live_space(row.space, row.space.open_flags, gone=not row.open) for row in rows)


@register.simple_tag
def row_ids(rows: Iterable[Any]) -> str:
    """The ids of the Spaces of a list (SpaceRow), for /state."""
    return " ".join(str(row.space.pk) for row in rows)


@register.simple_tag
def live_attributes(space: Space, violations: Iterable[FlagView], face: ClockFace) -> SafeString:
    """Render the changeable parts of a Space as attributes, for core/live.js."""
    shown = live.live_space(space, violations, gone=False)
    until = open_deadline(face)
    return format_html(
        'id="live-page" data-spaces="{}" data-version="{}" data-flags="{}" data-appeals="{}"{}',
        *(space.pk, live.version([shown]), len(shown.flags), shown.appeals),
        format_html(' data-until="{}"', iso(until)) if until else "",
    )


@register.filter
def appeal_until(notice: Any) -> datetime | None:
    """Return the end of the appeal period of the flag that a notice is about."""
    return policy.appeal_closes(notice.space.expires_at)


@register.filter
def short_time(value: datetime) -> SafeString:
    """Render a <time> element in the reader's zone for lists: "22 December, 15:05". Hovering shows UTC."""
    return time_element(value, formatting.format_short_time(value, timezone.now()), utc_title(value), "short")


# The first match in a User-Agent wins; browsers also name others for compatibility, so the order matters.
BROWSERS = {
    "Edg": "Edge",
    "OPR": "Opera",
    "Firefox": "Firefox",
    "FxiOS": "Firefox",
    "Chrom": "Chrome",
    "CriOS": "Chrome",
}
BROWSERS |= {"Safari": "Safari"}
SYSTEMS = {"iPhone": "iPhone", "iPad": "iPad", "Android": "Android", "Windows": "Windows", "Mac OS X": "Mac"}
SYSTEMS |= {"CrOS": "ChromeOS", "Linux": "Linux"}


@register.filter
def browser_name(user_agent: str) -> str:
    """A browser and its system, for people to recognize a device: "Firefox on Linux". Unknown ones as they are."""
    browser = next((name for token, name in BROWSERS.items() if token in user_agent), "")
    system = next((name for token, name in SYSTEMS.items() if token in user_agent), "")
    if browser and system:
        return _("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    return browser or system or user_agent or _("unknown device")


@register.filter
def note_template(notice: Notice) -> str:
    """The template of a notice's note on the page."""
    return f"notices/text/{notice.kind}.html"
