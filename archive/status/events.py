"""Count the log entries of the last day that an operator should know of, by event."""

from datetime import timedelta
from typing import NamedTuple

from archive import dbtime
from archive.log import events
from archive.models import LogEntry
from archive.models.space_queries import count_up_to
from archive.status.work import MAX_COUNTED

LAST = timedelta(days=1)


class Failure(NamedTuple):
    """How the work of a task can fail for good: the event in the log, and the code of its alert; "" if the failure
    needs no action, such as a file that is no recording."""

    event: events.Event
    alert: str = ""


FAILURES = {
    "send_notice": Failure(events.NOTICE_FAILED, "mail_failed"),
    "send_digest": Failure(events.DIGEST_FAILED, "mail_failed"),
    "send_invitation": Failure(events.INVITATION_FAILED, "mail_failed"),
    "send_checkpoint_mail": Failure(events.CHECKPOINT_MAIL_FAILED, "mail_failed"),
    "send_account_mail": Failure(events.ACCOUNT_MAIL_FAILED, "mail_failed"),
    "deliver_webhook": Failure(events.WEBHOOK_FAILED, "webhooks_failed"),
    "build_bundle": Failure(events.BUNDLE_FAILED, "work_failed"),
    "build_export_part": Failure(events.EXPORT_PART_FAILED, "work_failed"),
    "transcribe": Failure(events.TRANSCRIPTION_FAILED, "work_failed"),
    "publish_space": Failure(events.SPACE_REJECTED),
    "take_arrival": Failure(events.ARRIVAL_REFUSED, "arrivals_refused"),
}
# Permanent failures, missing objects, and copies or orphans that were found.
WATCHED = (
    *(failure.event for failure in FAILURES.values()),
    events.OBJECT_MISSING,
    events.COPY_FOUND,
    events.ORPHAN_FOUND,
)

# {event name: how often in the last day}, counted up to MAX_COUNTED. Has all of WATCHED.
RecentEvents = dict[str, int]


def read_events() -> RecentEvents:
    entries = LogEntry.objects.filter(at__gte=dbtime.now() - LAST)
    return count_up_to(MAX_COUNTED, {str(event): entries.filter(event=event) for event in WATCHED})
