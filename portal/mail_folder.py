"""Write mail to files, for `make run`: no mail leaves the machine."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend


class MailFolderBackend(BaseEmailBackend):
    """Write each message to an .eml file, named by its time (UTC) so that the newest is last. Files appear complete."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        folder = Path(settings.EMAIL_FILE_PATH)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for message in email_messages:
            name = f"{datetime.now(UTC):%Y-%m-%d %H.%M.%S} {uuid4().hex[:8]}.eml"
            temporary = folder / f".{name}"
            temporary.write_bytes(message.message().as_bytes())
            temporary.replace(folder / name)
        return len(email_messages)
