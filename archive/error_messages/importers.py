"""Importing folders, archives and the files beside a recording."""

from django.utils.translation import gettext_lazy as _

MESSAGES = {
    "import.no_recording": _("There is no recording in it (m4a, mp3, ogg, opus, wav, flac, aac, ts, mp4)."),
    "import.too_many_files": _("It has more than {limit:number} files. Give the folder that holds the recording."),
    "import.only_first_bytes": _("Only the first bytes of this file are available here."),
    "import.file_too_large": _("The file is larger than {limit:size}."),
    "import.cannot_read": _("The file can't be read ({error})."),
    "import.json_too_deep": _("The JSON is nested too deeply to be read."),
    "import.not_json": _("The file is not JSON, or its end is missing."),
    "import.zip_damaged": _("The archive is damaged, or its end is missing."),
    "import.member_damaged": _("This file is damaged in the archive."),
    "import.member_encrypted": _("This file is encrypted in the archive. Unpack the archive, and give the folder."),
    "import.member_compression": _(
        "This file is compressed in a way that is not supported. Unpack the archive, and give the folder."
    ),
    "import.member_too_large": _("This file has {size:size}; at most {limit:size} can be ingested."),
    "import.member_bomb": _("Unpacked, this file would be more than {ratio} times as large. No recording is."),
    "import.no_disk_space": _("Unpacking this file needs {size:size}, and {folder} has less than that."),
    "import.cannot_unpack": _("The file could not be unpacked in {folder} ({error})."),
}
