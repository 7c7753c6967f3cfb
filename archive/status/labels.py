"""Names for people: of tasks (by kind of work), of queues, and of the parts of `read_status`."""

from typing import Any

from django.utils.translation import gettext_lazy as _

TASKS: dict[str, Any] = {
    "purge_space": _("Deletions"),
    "publish_space": _("Recordings to check"),
    "import_transcript": _("Transcripts to import"),
    "abandon_upload": _("Uploads to clean up"),
    "take_arrival": _("Recordings from LiveKit and inboxes"),
    "settle_arrival": _("Answers to LiveKit and inboxes"),
    "send_notice": _("Notices to mail"),
    "deliver_webhook": _("Events for webhooks"),
    "verify_log": _("Verifications of the log"),
    "send_digest": _("Weekly digests"),
    "send_checkpoint_mail": _("Checkpoints to mail"),
    "send_invitation": _("Invitations"),
    "send_account_mail": _("Mails about accounts"),
    "build_bundle": _("Bundles to build"),
    "verify_bundle": _("Bundles to verify"),
    "clear_bundle_storage": _("Bundles to remove from the store"),
    "build_export_part": _("Export parts to build"),
    "verify_export_part": _("Export parts to verify"),
    "clear_export_part_storage": _("Export parts to remove from the store"),
    "transcribe": _("Automatic transcripts"),
}
QUEUES: dict[str, Any] = {
    "deletion": _("deletion: deletions, the dispatcher, the log's proof"),
    "celery": _("celery: all other work"),
    "transcription": _("transcription: automatic transcripts"),
}
PARTS: dict[str, Any] = {
    "work": _("Work"),
    "deletions": _("Deletion"),
    "spaces": _("Spaces"),
    "log": _("The log"),
    "events": _("What failed"),
    "store": _("The store"),
    "task_runs": _("Beat"),
    "queues": _("The broker"),
    "pause": _("Whether deletion is paused"),
    "workers": _("Workers"),
    "problems": _("Why work is retried"),
    "rehearsal": _("The abilities of the store"),
    "signs": _("Whether checkpoints are signed"),
    "contradictions": _("Checkpoints in the second bucket"),
    "last_deletion": _("The last deletion"),
}
