"""Settings that users change themselves: their name, their time zone, and which notices are mailed."""

from collections.abc import Collection

from django.db import transaction

from archive import formatting, names, search
from archive.errors import Refused
from archive.models import User
from archive.models.notice_kinds import LOG_CHECKPOINT, OPTIONAL_KINDS
from archive.notices import digests

MAX_NAME = names.MAX_LENGTH


def selectable_time_zones() -> list[str]:
    """Return the zones to choose from: places and UTC, without the abbreviations and aliases of older systems."""
    places = {zone for zone in formatting.known_time_zones() if "/" in zone and not zone.startswith("Etc/")}
    return sorted(places | {"UTC"})


def optional_mail(user: User) -> list[str]:
    """Return the kinds of mail that `user` can turn off. Only auditors get checkpoints of the log."""
    return [*map(str, OPTIONAL_KINDS), *([LOG_CHECKPOINT] if user.is_auditor else [])]


def update_profile(
    user: User, *, display_name: str, time_zone: str, mailed_kinds: Collection[str], weekly: bool = False
) -> None:
    """Store the settings. `time_zone` is an IANA name, or "" for the browser's zone. Raises Refused."""
    display_name = names.clean_display_name(display_name)
    if time_zone and time_zone not in formatting.known_time_zones():
        raise Refused("account.no_such_time_zone")
    is_renamed = user.display_name != (display_name or user.username)
    user.first_name, user.last_name = display_name, ""
    user.time_zone_chosen = bool(time_zone)
    user.time_zone = time_zone or user.time_zone
    offered = optional_mail(user)
    unoffered = [kind for kind in user.unmailed_kinds if kind == LOG_CHECKPOINT and kind not in offered]
    user.unmailed_kinds = [kind for kind in offered if kind not in mailed_kinds] + unoffered
    digests.choose(user, weekly=weekly)
    fields = ["first_name", "last_name", "time_zone", "time_zone_chosen", "unmailed_kinds", "digest_since"]
    with transaction.atomic():
        user.save(update_fields=fields)
        if is_renamed:
            search.index_spaces_of(user)
