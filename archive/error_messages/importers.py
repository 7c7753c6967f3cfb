"""Imports of folders, archives and the files beside a recording."""

from django.utils.translation import gettext_lazy as _

MESSAGES = {
    "import.too_complex": _(
        "Inspecting these files takes too long. You can upload them anyway: fill in the form by hand."
    ),
    "import.failed": _(
        "These files could not be inspected ({error}). That is a fault of this installation, not of the files: the log "
        "says where it failed. You can upload them anyway: fill in the form by hand."
    ),
    "import.busy": _("Many files are being inspected right now. Try again in {seconds:number} seconds."),
    "import.no_recording": _(
        "It contains no recording: no file with sound in a known format. The list shows what each file is."
    ),
    "import.too_many_files": _("It has more than {limit:number} files. Choose the folder that contains the recording."),
    "import.only_first_bytes": _("Only the first bytes of this file are available here."),
    "import.file_too_large": _("The file is larger than {limit:size}."),
    "import.cannot_read": _("The file can't be read ({error})."),
    "import.json_too_deep": _("The JSON is nested too deeply to be read."),
    "import.not_json": _("The file is not JSON, or its end is missing."),
    "import.zip_damaged": _("The archive is damaged, or its end is missing."),
    "import.member_damaged": _("This file is damaged in the archive."),
    "import.member_encrypted": _("This file is encrypted in the archive. Unpack the archive, and choose the folder."),
    "import.member_compression": _(
        "This file is compressed in a way that is not supported. Unpack the archive, and choose the folder."
    ),
    "import.member_too_large": _("This file has {size:size}; at most {limit:size} can be ingested."),
    "import.member_bomb": _("Unpacked, this file would be more than {ratio} times as large. No recording is."),
    "import.member_repeated": _("The archive has several files of this name. Only the last one is read."),
    "import.member_unsafe": _("Its name in the archive points outside of the archive, so it is not read."),
    "import.no_disk_space": _("Unpacking this file needs {size:size}, which {folder} does not have."),
    "import.cannot_unpack": _("The file could not be unpacked in {folder} ({error})."),
    "import.name_encoding": _(
        "The archive does not say how its name is encoded, so the name is not used as the title."
    ),
    "import.title_encoding": _("Its title is in an encoding that the file does not state, so it is not used."),
    # Files that are not recordings and belong to none.
    "import.hidden": _("Hidden files, and those that operating systems leave behind, are not read."),
    "import.link": _("It is a link to another place. Links are not followed: choose the file or folder itself."),
    "import.not_a_file": _("It is not a regular file, but a device, a pipe or a socket."),
    "import.empty": _("The file is empty."),
    "import.picture": _("It is a picture."),
    "import.document": _("It is a document or a database, not text and not a recording."),
    "import.nested_archive": _("It is an archive inside of another. If it contains recordings, choose it by itself."),
    "import.program": _("It is a program or a font."),
    "import.unknown_kind": _(
        "It is neither sound in a known format nor text. If it is a recording, choose it by itself."
    ),
    "import.text": _(
        "It is text, but neither a transcript (VTT, SRT or lines with times) nor metadata of a known tool."
    ),
    "import.unknown_metadata": _("It is JSON, but not the metadata of a known tool."),
    "import.metadata_of_others": _("It describes Spaces whose recordings (space-<id>.ts) are not here."),
    "import.other_sound": _("Another file is the recording. Choose this one by itself to upload it, too."),
    "import.transcript_alone": _(
        "It is a transcript, but is not named after a recording here. Name it like the recording, or give it with "
        "--transcript, or upload it on the Space's page."
    ),
    "import.other_transcript": _(
        "It is another transcript of {recording}: {chosen} was used. Upload this one on the Space's page to add it."
    ),
    "import.transcript_broken": _(
        "{reason:message} The recording was accepted without it. Upload a corrected transcript on the Space's page."
    ),
    "import.transcript_not_added": _(
        "The recording was in the archive already, and nothing was added to its Space. Upload the transcript on the "
        "Space's page."
    ),
    "import.not_about_spaces": _("These files of an X data archive are not about Spaces, so they are not read."),
    "import.chat": _("The chat is not imported."),
    "import.own_track": _("Separate tracks are not imported, because the recording contains all speakers."),
    "import.film_of_meeting": _("The video is not imported, because the recording beside it has the sound."),
}
