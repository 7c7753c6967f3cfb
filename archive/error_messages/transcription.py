"""Automatic transcripts."""

from django.utils.translation import gettext_lazy as _

MESSAGES = {
    "transcription.off": _("Automatic transcripts are not available here. Upload a transcript instead."),
    "transcription.too_late": _("The deadline of this Space has passed, so no transcript can be made any more."),
    "transcription.not_available": _("The Space is {state:space}. Request a transcript again when it is available."),
    "transcription.exists": _("This Space has a transcript."),
    "transcription.uploaded_meanwhile": _("A transcript was uploaded in the meantime, so none is made."),
    "transcription.no_speech": _("No speech was found in this recording, so there is no transcript."),
    "transcription.disk_failed": _("The worker's disk failed ({error})."),
    "transcription.unknown_language": _(
        "The model {model} does not know the language {language}: see TRANSCRIPTION_LANGUAGE."
    ),
}
