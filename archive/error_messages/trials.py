"""What a store did in a trial instead of what it should (archive/storage/trials)."""

from django.utils.translation import gettext_lazy as _

MESSAGES = {
    "trial.lacks_permission": _("{answer:message} The key lacks {permissions}."),
    "trial.range_differs": _("A range has other bytes."),
    "trial.objects_listed": _("It listed {count:number} objects, not 1."),
    "trial.uploads_listed": _("It listed {count:number} open uploads, not 1."),
    "trial.aborted_upload_listed": _("An aborted upload is still listed."),
    "trial.not_deleted": _("Objects were not deleted: {codes:list}."),
    "trial.deleted_object_answers": _("A deleted object still answers."),
    "trial.deleted_object_listed": _("A deleted object is still listed."),
    "trial.other_bytes_accepted": _("It answered {status} to other bytes."),
    "trial.longer_part_accepted": _("It answered {status} to a longer part."),
    "trial.late_part_accepted": _("It answered {status} to a part of an upload that was aborted."),
    "trial.part_refused": _("It answered {answer} to a part."),
    "trial.size_differs": _("The object has another size."),
    "trial.copy_differs": _("The copy has other bytes."),
    "trial.other_object_copied": _("It copied an object with another ETag."),
    "trial.wrong_crc32_completed": _("It completed an upload with another CRC-32."),
    "trial.part_crc32_differs": _("A part has no CRC-32, or another one."),
    "trial.object_crc32_differs": _("The object has no CRC-32 of its parts, or another one."),
    "trial.wrong_part_accepted": _("It accepted a part with another CRC-32."),
    "trial.crc32_echoed": _("It reports the CRC-32 of the request, not one of its own."),
    "trial.range_refused": _("It answered {answer} to a range."),
    "trial.file_name_missing": _("The file has no name."),
    "trial.type_differs": _("The type is {type}."),
    "trial.no_origin_allowed": _("It answered {answer}, and allows no origin."),
    "trial.other_origin_allowed": _("It answered {answer}, and allows the origin {origin} only."),
    "trial.encryption_differs": _("The store reports the encryption {found}, not {wanted}."),
    "trial.object_lock": _("Object lock is on: the store could refuse to delete before a date of its own."),
    "trial.versioning": _("Versioning is {status}: a deleted object could live on as an old version."),
    "trial.versions_kept": _(
        "It keeps {count:number} versions of one object: a deleted object could live on as an old version."
    ),
}
