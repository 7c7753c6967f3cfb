"""Uploads directly to the store."""

from django.utils.translation import gettext_lazy as _

MESSAGES = {
    "upload.too_large": _(
        "This file has {size:number} bytes. A {kind:kind} may have at most {limit:number} ({limit:size})."
    ),
    "upload.bad_language": _("“{language}” is not a language tag. Write one such as en or pt-BR."),
    "upload.too_many_open": _(
        "You already have {limit} open uploads, which is the limit. Complete or cancel one, then start this one again."
    ),
    "upload.host_full": _(
        "This file of {size:size} does not fit: the recordings and transcripts of this host have {total:size}, and the "
        "limit is {limit:size}. Storage is freed when recordings reach their deadlines."
    ),
    "upload.not_expected": _("The Space can't accept a {kind:kind} now: it is {state:space}."),
    "upload.ingest_running": _("`manage.py ingest` is ingesting this Space from a file. Try again when it is done."),
    "upload.recording_exists": _(
        "Another recording of this Space is already being uploaded. Resume that upload, or cancel it first."
    ),
    "upload.race": _("Another upload of this Space was started at the same moment. Try again."),
    "upload.too_late": _("The deadline of this Space has passed, so nothing can be uploaded to it any more."),
    "upload.over": _("This upload has ended: it was {state:upload}."),
    "upload.over_because": _("This upload has ended: it was {state:upload}. {reason:message}"),
    "upload.no_such_part": _("There is no part {part}: the file has parts 1 to {count}."),
    "upload.part_needs_sha256": _(
        "The object store requires the SHA-256 of each part. Send the sha256 of parts {parts:list}."
    ),
    "upload.part_named_twice": _("A part is listed twice. List each part once."),
    "upload.parts_differ": _(
        "Some of the {count} parts in the store are missing or wrong. Check parts {parts:list}. Nothing was lost: "
        "upload these parts again, then complete the upload again."
    ),
    "upload.partial_needs_transcript": _("Only transcripts can be partly accepted."),
    "upload.partial_too_late": _("The file was kept for a day and is being removed. Upload it again."),
    "upload.abandoned": _("Nothing was uploaded for a day, so the upload was canceled. Start it again."),
    "upload.not_aborted_now": _(
        "Uploads can't be canceled now, because the archive was restored from a backup. Try again later."
    ),
    "upload.lost": _("The store no longer has any part of this upload. Start it again."),
    "upload.sha256_differs": _(
        "The uploaded bytes differ from the announced ones: their SHA-256 is {actual}, not {expected}. Upload the file "
        "again."
    ),
    "upload.part_sha256_differs": _(
        "The uploaded bytes differ from the announced ones: parts {parts:list} have another SHA-256. The file was not "
        "used. Upload it again."
    ),
    "upload.duplicate": _("This recording is already in the archive, so it was not added a second time."),
    "upload.duplicate_of": _(
        "This recording is already in the archive as “{title}” ({ended_at:time}), so it was not added a second time."
    ),
}
