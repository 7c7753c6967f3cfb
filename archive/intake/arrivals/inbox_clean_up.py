"""Remove files from inboxes that were there longer than a recording may be kept: refused recordings, their sidecars and
outcomes, unfinished files, and everything of these in inboxes of tokens that no longer work.

A file is due RETENTION_DAYS after it was put there. If a sidecar says when the Space ended, its recording and the
sidecar are due RETENTION_DAYS after that end, but not before they have been there for a day, in which a wrong date can
be corrected. Files of an arrival in progress stay. All this also happens after inboxes were disabled; in a folder, only
while INBOX_FOLDER names it.

For each inbox: log that files are due, remove them, then delete their rows and log the removal in one transaction. If a
worker is killed in between, the first entry remains, and the next run does the rest. An inbox that fails does not stop
the others. Nothing is removed while deletion is paused (archive/restores.py).
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from archive import dbtime, log, restores
from archive.errors import SpacekeepError
from archive.intake.arrivals.inbox_files import InboxFile, InboxFiles, folder_inboxes, open_uploads, store_inboxes
from archive.intake.arrivals.inbox_scan import AT_ONCE, is_text
from archive.intake.arrivals.sources import OUTCOME, SIDECAR, is_version, source_prefix
from archive.intake.arrivals.take import PATIENCE
from archive.log import SYSTEM, events
from archive.models import Arrival, LogEntry, RecorderToken
from archive.storage import store

State = Arrival.State
LAST_ENTRIES = 200  # entries to search for the last one about an inbox

logger = structlog.get_logger()


@dataclass(frozen=True)
class _Facts:
    """The facts about an arrival's files in its row."""

    recording: str
    etag: str
    version: str
    created_at: datetime
    ended_at: datetime | None
    is_needed: bool

    def is_about(self, file: InboxFile) -> bool:
        """Return whether the file is the recording, or the sidecar, of the row."""
        if file.path == self.recording:
            return file.etag == self.etag
        return file.path == self.recording + SIDECAR and is_version(self.version, file.etag)


def clean_up() -> None:
    """Remove everything that is due, in all inboxes. Failures are logged, and retried at the next run."""
    if pause := restores.find_pause():
        logger.warning("inbox_clean_up_paused", reason=pause["code"])
        return
    now = dbtime.now()
    for source, inboxes in (
        (Arrival.Source.INBOX, store_inboxes),
        (Arrival.Source.FOLDER, partial(folder_inboxes, now)),
    ):
        try:
            failed = [inbox.recorder for inbox in inboxes() if not _clean_one(inbox, now)]
            if not failed:
                _delete_old_rows(source)
        except (SpacekeepError, OSError) as error:
            logger.warning("inbox_not_listed", source=source.value, error=type(error).__name__)
    _abort_uploads(now)


def _clean_one(inbox: InboxFiles, now: datetime) -> bool:
    """Remove what is due in one inbox. Returns whether nothing is left that is due."""
    try:
        due = list(_find_due(inbox, inbox.list(), now))
    except OSError as error:
        logger.warning("inbox_not_listed", recorder=inbox.recorder, error=type(error).__name__)
        return False
    is_clean = True
    for start in range(0, len(due), AT_ONCE):
        is_clean &= _remove(inbox, due[start : start + AT_ONCE])
    return is_clean


def _find_due(inbox: InboxFiles, files: list[InboxFile], now: datetime) -> Iterator[InboxFile]:
    etags = {file.path: file.etag for file in files}
    for start in range(0, len(files), AT_ONCE):
        batch = files[start : start + AT_ONCE]
        rows = _rows(inbox, {name for file in batch for name in _recordings(file.path)})
        for file in batch:
            facts = [one for name in _recordings(file.path) for one in rows.get(name, [])]
            if not any(one.is_needed for one in facts) and _due_at(file, facts, etags) <= now:
                yield file


def _due_at(file: InboxFile, facts: Sequence[_Facts], etags: dict[str, str]) -> datetime:
    # The row knows since when the same bytes are there, even if the time of the file changes each day.
    put_at = min([file.put_at, *(one.created_at for one in facts if one.is_about(file))])
    # The end is unknown for a recording that replaced the row's.
    ends = [one.ended_at for one in facts if one.ended_at and etags.get(one.recording, one.etag) == one.etag]
    due = put_at + _keeping()
    if not ends or file.path.endswith(OUTCOME):
        return due
    return min(due, max(max(ends) + _keeping(), put_at + PATIENCE))


def _recordings(path: str) -> set[str]:
    """Return the names of recordings that a file may belong to."""
    return {path, path.removesuffix(SIDECAR), path.removesuffix(OUTCOME)}


def _rows(inbox: InboxFiles, recordings: Collection[str]) -> dict[str, list[_Facts]]:
    """Return the facts by the name of the recording."""
    rows: dict[str, list[_Facts]] = {}
    prefix = source_prefix(inbox.source, inbox.recorder)
    names = [prefix + name for name in recordings if is_text(name)]
    mine = Arrival.objects.filter(source=inbox.source, source_id__in=names, recorder__prefix=inbox.recorder)
    for row in mine:
        is_waiting = row.state == State.WAITING and row.created_at > dbtime.now() - PATIENCE
        is_needed = is_waiting or row.state in Arrival.AT_WORK or (row.state in Arrival.OVER and not row.settled)
        recording = row.source_id.removeprefix(prefix)
        facts = _Facts(recording, row.etag, row.version, row.created_at, row.ended_at, is_needed)
        rows.setdefault(recording, []).append(facts)
    return rows


def _remove(inbox: InboxFiles, due: Sequence[InboxFile]) -> bool:
    """Remove the files. Returns whether nothing failed. A file that was replaced since stays until it is due itself.
    Raises DeletionPaused."""
    restores.require_no_pause()  # again, as the database may have been replaced since this run began
    _log_due(inbox, _describe(inbox, due))
    prefix = source_prefix(inbox.source, inbox.recorder)
    removed, failed = [], 0
    for file in due:
        try:
            if inbox.remove(file):
                removed.append(file)
        except SpacekeepError as error:
            failed += 1
            logger.warning("inbox_file_not_removed", recorder=inbox.recorder, error=error.code)
    if removed:
        logger.info("inbox_files_removed", source=inbox.source.value, recorder=inbox.recorder, files=len(removed))
        with transaction.atomic():
            _over().filter(
                source=inbox.source,
                recorder__prefix=inbox.recorder,
                source_id__in=[prefix + file.path for file in removed if is_text(file.path)],
            ).delete()
            log.record(events.INBOX_CLEANED, space_id=None, actor=SYSTEM, **_describe(inbox, removed))
    return not failed


def _over() -> "QuerySet[Arrival]":
    """Return rows on which nothing depends: refused and settled, or waiting in an inbox that is no longer scanned."""
    abandoned = Q(state=State.WAITING, created_at__lt=Now() - PATIENCE)
    return Arrival.objects.filter(Q(state=State.REFUSED, settled=True) | abandoned)


def _log_due(inbox: InboxFiles, detail: dict[str, Any]) -> None:
    """Log what is due, once: a retry finds the same entry as the last one of this inbox, and adds none."""
    entries = LogEntry.objects.filter(event__in=[events.INBOX_EXPIRED, events.INBOX_CLEANED]).order_by("-id")
    place = detail["recorder"], detail["source"]
    mine = (
        (event, logged)
        for event, logged in entries.values_list("event", "detail")[:LAST_ENTRIES]
        if (logged["recorder"], logged["source"]) == place
    )
    if next(mine, None) != (events.INBOX_EXPIRED, detail):
        with transaction.atomic():
            log.record(events.INBOX_EXPIRED, space_id=None, actor=SYSTEM, **detail)


def _describe(inbox: InboxFiles, files: Sequence[InboxFile]) -> dict[str, Any]:
    token = RecorderToken.objects.filter(prefix=inbox.recorder).first()
    return {
        "recorder": str(token.pk) if token else None,
        "source": inbox.source.value,
        "object_count": len(files),
        "size": sum(file.size for file in files),
        "first_seen_at": log.rfc3339(min(file.put_at for file in files)),
    }


def _delete_old_rows(source: Arrival.Source) -> None:
    """Delete rows whose files no longer exist, as their paths may name people."""
    due = Q(created_at__lt=Now() - _keeping())
    due |= Q(created_at__lt=Now() - PATIENCE, ended_at__lt=Now() - _keeping())
    _over().filter(due, source=source).delete()


def _abort_uploads(now: datetime) -> None:
    """Abort multipart uploads below `inbox/` that were not completed in time, as their parts are recordings, too."""
    try:
        for upload in open_uploads():
            if upload.initiated <= now - _keeping():
                restores.require_no_pause()
                store().abort(upload.key, upload.id)
                with transaction.atomic():
                    begun_at = log.rfc3339(upload.initiated)
                    log.record(events.INBOX_UPLOAD_ABORTED, space_id=None, actor=SYSTEM, begun_at=begun_at)
    except SpacekeepError as error:
        logger.warning("inbox_not_listed", source=Arrival.Source.INBOX.value, error=type(error).__name__)


def _keeping() -> timedelta:
    return timedelta(days=settings.RETENTION_DAYS)
