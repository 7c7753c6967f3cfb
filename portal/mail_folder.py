"""Mail as files, for `make run`: no mail leaves the machine."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend


class MailFolderBackend(BaseEmailBackend):
    """Writes each message as an .eml file that mail programs open, named by its time (UTC) so that the newest is last.
    Complete or absent, never half."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        folder = Path(settings.EMAIL_FILE_PATH)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for message in email_messages:
            name = f"{datetime.now(UTC):%Y-%m-%d %H.%M.%S} {uuid4().hex[:8]}.eml"
            half = folder / f".{name}"
            half.write_bytes(message.message().as_bytes())
            half.replace(folder / name)
        return len(email_messages)
