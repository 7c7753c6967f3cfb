"""The sentences of all alerts, with advice. The operators' page shows them, and docs/operations.md ("The status page")
lists the same ones. find_alerts.py decides which are open."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext_lazy as _


class Level(StrEnum):
    URGENT = "urgent"  # a deletion, the log's proof, or all work is at risk
    SOON = "soon"  # something failed, or will fail


@dataclass(frozen=True)
class Kind:
    level: Level
    text: Any
    advice: Any


URGENT, SOON = Level.URGENT, Level.SOON
KINDS: dict[str, Kind] = {
    "restore_not_confirmed": Kind(
        URGENT,
        "{reason}",  # a message of archive/error_messages/transparency.py
        _("Run `manage.py restore_check`, and read “Backups and restores” in docs/operations.md before you confirm."),
    ),
    "deletions_overdue": Kind(
        URGENT,
        _("Overdue deletions: {count}. The oldest deadline passed {period} ago."),
        _(
            "Their content is not served any more. Check that a deleter runs, and why deletions are retried (Work, "
            "below). `manage.py setup_store` tests whether the store can delete. Deletion is retried until it is done."
        ),
    ),
    "deleter_missing": Kind(
        URGENT,
        _("No worker of the queue “deletion” was seen {since}."),
        _("Start the deleter: without it nothing is deleted and no checkpoint is signed. Its log says why it ended."),
    ),
    "worker_missing": Kind(
        URGENT,
        _("No worker of the queue “celery” was seen {since}."),
        _("Start a worker: without one no recording is checked, no bundle is built and no mail is sent."),
    ),
    "transcriber_missing": Kind(
        SOON,
        _("No worker of the queue “transcription” was seen {since}."),
        _("Start a transcriber, or empty TRANSCRIPTION_MODEL if you want no automatic transcripts."),
    ),
    "beat_missing": Kind(
        URGENT,
        _("Beat has finished no task {since}."),
        _(
            "Start beat. If it runs, check that the broker answers and that workers run tasks. Deadlines still end "
            "access to content, but deletions wait."
        ),
    ),
    "broker_down": Kind(
        URGENT,
        _("The broker does not answer."),
        _("Start it, or correct BROKER_URL. No work is lost: it is in the database, and resumes by itself."),
    ),
    "store_unusable": Kind(
        URGENT,
        _("The store can't do what Spacekeep needs: {names}."),
        _("The table below, “The store”, has its message and a remedy. Then run `manage.py setup_store`."),
    ),
    "store_changed": Kind(
        SOON,
        _("Since {time} the store behaves differently: {names}."),
        _(
            "Spacekeep has adapted to it. If you did not upgrade or configure the store, find out what changed it. "
            "This alert ends after a week."
        ),
    ),
    "store_not_tried": Kind(
        SOON,
        _("The store was not tested {since}."),
        _("It should be tested once a day. Run `manage.py setup_store`: it says what is wrong."),
    ),
    "copies_not_rechecked": Kind(
        SOON,
        _("Deleted Spaces were not checked again {since}."),
        _("A worker checks them once a day. `work_retried` with DeletionRecheck in the logs says why it is retried."),
    ),
    "copy_came_back": Kind(
        URGENT,
        _("Copies of deleted Spaces that were found in the store in the last day: {count}."),
        _(
            "They are deleted again. Find out what brought them back: a restored backup, a replica, a person. The "
            "retention log names the Spaces (“Copy found”)."
        ),
    ),
    "objects_missing": Kind(
        URGENT,
        _("Objects that the store has lost: {count}."),
        _("`manage.py reconcile` lists them. Read the log of the store, and restore the objects if you can."),
    ),
    "orphans_found": Kind(
        SOON,
        _("Objects in the store without a row in the database: {count}."),
        _("Run `manage.py reconcile --apply` daily: it deletes objects that it has seen twice, 24 hours apart."),
    ),
    "log_behind": Kind(
        URGENT,
        _("Entries of the log wait for their place in its proof, the oldest {since}."),
        _("The deleter numbers them each minute. If it runs, its log says why this is retried (LogSequencer)."),
    ),
    "log_not_signed": Kind(
        URGENT,
        _("No checkpoint of the log was signed {since}."),
        _(
            "Change nothing before you know why. The deleter's log has a line that begins with `log_`; "
            "docs/operations.md, “The log's checkpoints”, says what each one means."
        ),
    ),
    "log_contradicted": Kind(
        URGENT,
        _("Checkpoints in the second bucket that contradict this log: {count}."),
        _(
            "Keep the database, the bucket and all backups as they are, and tell the auditors. `manage.py log_copies` "
            "lists them."
        ),
    ),
    "work_parked": Kind(
        SOON,
        _("Work that ended unexpectedly ten times, and is retried once a day: {count}."),
        _(
            "The logs have the errors (`work_parked`, and those before it). Nothing is lost. Report "
            "errors of Spacekeep."
        ),
    ),
    "work_waits": Kind(
        SOON,
        _("Work waits for a worker: {names}. The oldest has waited {since}."),
        _("Check that workers run. If they do, they are busy: start more of them."),
    ),
    "mail_server_down": Kind(
        SOON,
        _("The mail server does not accept mail. Mails that wait: {count}."),
        _("Check EMAIL_URL and the mail server. Mail is retried for two days, and people see notices on their page."),
    ),
    "mail_failed": Kind(
        SOON,
        _("Mails that could not be sent in the last day: {count}."),
        _(
            "The mail server refused the address or the message. For notices, the retention log has the accounts "
            "(“Notice could not be sent”): correct their addresses. For other mails it has only the reason."
        ),
    ),
    "work_failed": Kind(
        SOON,
        _("Bundles, export parts and automatic transcripts that failed in the last day: {count}."),
        _("Their pages show the reason, and people can request them again. `work_failed` in the logs has the cause."),
    ),
    "arrivals_refused": Kind(
        SOON,
        _("Recordings from LiveKit or an inbox that were refused in the last day: {count}."),
        _("`manage.py arrivals` lists them, with the reason."),
    ),
    "webhooks_failed": Kind(
        SOON,
        _("Events that could not be delivered to webhooks in the last day: {count}."),
        _("Webhooks in the account menu of admins shows the answers of each receiver."),
    ),
    "versions_differ": Kind(
        SOON,
        _("Workers run different versions: {names}."),
        _("Finish the upgrade: restart the workers of the older version."),
    ),
    "unreadable": Kind(
        SOON,
        _("This could not be read in time: {names}."),
        _("The database is busy or slow. Try again; the logs have `status_unreadable`."),
    ),
}


@dataclass(frozen=True)
class Alert:
    code: str
    params: dict[str, Any] = field(default_factory=dict)

    @property
    def level(self) -> Level:
        return KINDS[self.code].level

    @property
    def text(self) -> str:
        return str(KINDS[self.code].text).format(**self.params)

    @property
    def advice(self) -> str:
        return str(KINDS[self.code].advice)
