from typing import Any

from django.contrib.auth.management.commands import createsuperuser
from django.db import transaction

from archive.accounts.roles import record_new_superuser
from archive.models import User


class Command(createsuperuser.Command):
    """Django's command, which also writes an entry of the retention log."""

    def handle(self, *args: Any, **options: Any) -> None:
        with transaction.atomic():
            newest = User.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
            super().handle(*args, **options)
            for account in User.objects.filter(is_superuser=True, pk__gt=newest):
                record_new_superuser(account)
