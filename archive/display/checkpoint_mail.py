"""Render the mail with a checkpoint of the log, for people who keep checkpoints."""

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from archive import formatting
from archive.display.mail import Attachment, MailMessage, site_context
from archive.models import LogCheckpoint

FILE_NAME = "checkpoint.txt"


def render_checkpoint(checkpoint: LogCheckpoint, note: str, *, has_account: bool) -> MailMessage:
    """Render it as plain text. `note` is in the text and attached, unchanged: it is compared with the log by bytes."""
    context = {
        **(site_context() if has_account else {}),
        "note": note,
        "file_name": FILE_NAME,
        "has_account": has_account,
        "facts": [],
    }
    subject = _("Checkpoint of the retention log: {size} entries, {signed_at}").format(
        size=checkpoint.size, signed_at=formatting.format_time(checkpoint.signed_at)
    )
    text = render_to_string("archive/mail/checkpoint.txt", {**context, "site": settings.SITE_URL})
    return MailMessage(subject, text.strip() + "\n", html="", attachment=Attachment(FILE_NAME, note))
