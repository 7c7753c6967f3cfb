"""Entries of the log of the last day that an operator should know of, counted by event."""

from datetime import timedelta

from archive import dbtime
from archive.log import events
from archive.models import LogEntry
from archive.models.space_queries import count_up_to
from archive.status.work import MAX_COUNTED

LAST = timedelta(days=1)
# What failed for good, what is missing, and what came back.
WATCHED = (
    events.NOTICE_FAILED,
    events.DIGEST_FAILED,
    events.INVITATION_FAILED,
    events.WEBHOOK_FAILED,
    events.BUNDLE_FAILED,
    events.EXPORT_PART_FAILED,
    events.TRANSCRIPTION_FAILED,
    events.SPACE_REJECTED,
    events.ARRIVAL_REFUSED,
    events.OBJECT_MISSING,
    events.COPY_FOUND,
    events.ORPHAN_FOUND,
)

# {name of an event: how often in the last day}, counted up to MAX_COUNTED. Every one of WATCHED is there.
RecentEvents = dict[str, int]


def read_events() -> RecentEvents:
    entries = LogEntry.objects.filter(at__gte=dbtime.now() - LAST)
    return count_up_to(MAX_COUNTED, {str(event): entries.filter(event=event) for event in WATCHED})
