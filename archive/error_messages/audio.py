"""Recordings: what the decoder finds wrong with a file, and how the decoder itself fails."""

from django.utils.translation import gettext_lazy as _

MESSAGES = {
    "audio.empty": _("The file is empty."),
    "audio.not_a_file": _("This is not a regular file."),
    "audio.silent": _("There is no sound in this file. Upload a recording as {formats}."),
    "audio.unreadable": _("No audio could be read from this file. Upload a recording as {formats}."),
    "audio.too_long": _("The recording is longer than {limit:duration}, which is the limit."),
    "audio.too_short": _(
        "The file says that it is {claimed:duration} long, but only {heard:duration} can be decoded: its end is "
        "missing. Look for the complete file. An operator can accept what is there (--accept-short)."
    ),
    "audio.damaged": _("The file is damaged: {broken:number} of {packets:number} packets could not be decoded."),
    "audio.too_many_tags": _(
        "The file has {size:size} of tags before its sound; at most {limit:size} are accepted. Save it again without "
        "tags, and upload that file."
    ),
    "audio.bad_sample_rate": _("The file has {rate:number} samples a second, which no recording of speech has."),
    "audio.external_reference": _("The file refers to other files, which are not read. Upload the recording itself."),
    "audio.too_much_memory": _(
        "The file needs more memory or tracks than any recording, so decoding was stopped: it is damaged, or was made "
        "to do that. Save it again with an audio program, and upload that file."
    ),
    "audio.copy_too_large": _(
        "The copy for browsers grew larger than any recording needs, so decoding was stopped: the file is damaged."
    ),
    "audio.too_slow": _(
        "Decoding the file took longer than {limit:duration}, so it was stopped. Save it again with an audio program, "
        "and upload that file; this one is unchanged."
    ),
    "audio.decoder_broke_off": _(
        "This file could not be decoded; it may be damaged. Save it again with an audio program, and upload that "
        "file; this one is unchanged."
    ),
    "audio.decoder_killed": _(
        "The system stopped the decoder of this file, most likely because memory ran out. Try again. If that does not "
        "help, save the file again with an audio program, and upload that file; this one is unchanged."
    ),
    "audio.decoder_died": _("The decoder was stopped before its end. It is tried again."),
    "audio.decoder_failed": _(
        "The decoder failed ({error}). That is a fault of this installation, not of the recording, and nothing was "
        "lost: the log says where it failed."
    ),
    "audio.no_disk_space": _("The worker's disk has no room for the recording ({error})."),
}
