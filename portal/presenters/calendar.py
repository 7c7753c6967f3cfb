"""The deadlines of a host as iCalendar (RFC 5545)."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from icalendar import Alarm, Calendar, Event

from archive.display.deadline_reasons import render_reasons
from archive.models import Space

REFRESH = timedelta(hours=1)
REMIND = timedelta(days=1)  # before the deadline


def render_calendar(spaces: Iterable[Space], now: datetime) -> bytes:
    """A VCALENDAR with one event for each Space, at its deadline (UTC). `spaces` have a deadline."""
    calendar = Calendar()
    calendar.add("prodid", "-//Spacekeep//EN")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", _("Spacekeep deadlines"))
    calendar.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", REFRESH)
    for space in spaces:
        calendar.add_component(_event(space, now))
    text: bytes = calendar.to_ical()
    return text


def _event(space: Space, now: datetime) -> Event:
    url = settings.SITE_URL + reverse("space", args=[space.pk])
    event = Event()
    event.add("uid", f"{space.pk}@{urlsplit(settings.SITE_URL).hostname}")
    event.add("dtstamp", now)
    event.add("dtstart", space.expires_at)
    event.add("summary", _("Deletion of “{title}”").format(title=space))
    event.add(
        "description", "\n".join([*render_reasons(space.stored_deadline()), _("Download: {url}").format(url=url)])
    )
    event.add("url", url)
    event.add("transp", "TRANSPARENT")  # the event blocks no time
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", _("Tomorrow “{title}” is deleted.").format(title=space))
    alarm.add("trigger", -REMIND)
    event.add_component(alarm)
    return event
