import getpass
from typing import Any

from django.contrib.auth.management.commands import changepassword
from django.db import transaction

from archive.accounts.passwords import record_change
from archive.models import User


class Command(changepassword.Command):
    """Django's command, which also writes an entry of the retention log."""

    def handle(self, *args: Any, **options: Any) -> str | None:
        with transaction.atomic():
            result = super().handle(*args, **options)
            record_change(User.objects.get(username=options["username"] or getpass.getuser()), None)
        return result
