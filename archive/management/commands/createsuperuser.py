from typing import Any

from django.contrib.auth.management.commands import createsuperuser
from django.core.management.base import CommandError
from django.db import IntegrityError, transaction

from archive.accounts.invitations import check_names
from archive.accounts.roles import record_new_superuser
from archive.errors import Refused
from archive.models import User


class Command(createsuperuser.Command):
    """Django's command, which also writes an entry of the retention log."""

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with transaction.atomic():
                newest = User.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
                super().handle(*args, **options)
                for account in User.objects.filter(is_superuser=True, pk__gt=newest):
                    check_names(account)
                    record_new_superuser(account)
        except Refused as error:
            raise CommandError(str(error)) from error
        except IntegrityError as error:
            raise CommandError(str(Refused("account.username_taken"))) from error
